# The binary and nothing else. Build images take it with
# `COPY --from=<this image> /shipspec /usr/local/bin/`; run by itself, it needs certificates from a
# mount to reach AWS.
FROM scratch
COPY target/dist/shipspec /shipspec
ENTRYPOINT ["/shipspec"]
