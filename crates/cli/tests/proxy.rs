//! Where the network is reached through a proxy, registries and services of AWS are as well.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use common::project;
use shipspec_testbed::Testbed;

/// A proxy that tunnels, and knows to where.
struct Proxy {
    address: String,
    hosts: Arc<Mutex<BTreeSet<String>>>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let hosts = Arc::<Mutex<BTreeSet<String>>>::default();
        let seen = Arc::clone(&hosts);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&seen);
                std::thread::spawn(move || tunnel(client, &seen));
            }
        });
        Self { address, hosts }
    }

    fn hosts(&self) -> BTreeSet<String> {
        self.hosts.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, seen: &Mutex<BTreeSet<String>>) {
    let mut lines = BufReader::new(client.try_clone().unwrap()).lines();
    let Some(Ok(first)) = lines.next() else { return };
    let target = first.split(' ').nth(1).unwrap_or_default().to_owned();
    assert!(first.starts_with("CONNECT "), "{first}");
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    seen.lock().unwrap().insert(target.trim_end_matches(":443").to_owned());
    let mut server = TcpStream::connect(&target).unwrap();
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    let _ended = std::io::copy(&mut server, &mut client);
}

#[test]
#[ignore = "needs the testbed"]
fn registries_and_services_are_asked_through_the_proxy_of_the_environment() {
    let testbed = Testbed::current();
    let repository = testbed.repository("proxy");
    testbed.put_parameter("/proxied", "String", "value");
    let proxy = Proxy::start();
    let shipspec = common::SHIPSPEC.replacen(
        "version: 1\n",
        "version: 1\nparameters: { PROXIED: \"ssm:/proxied\" }\n",
        1,
    );
    let project = project(&testbed, &repository)
        .file("shipspec.yml", &shipspec)
        .variable("HTTPS_PROXY", &proxy.address);
    project.run(&["doctor"]).success();
    let host = |service: &str| format!("{service}.{}.amazonaws.com", repository.region());
    let expected = [repository.registry(), host("api.ecr"), host("ssm")];
    assert_eq!(proxy.hosts(), BTreeSet::from(expected));

    let proxy = Proxy::start();
    let project = project
        .variable("HTTPS_PROXY", &proxy.address)
        .variable("NO_PROXY", "localhost,.amazonaws.com");
    project.run(&["doctor"]).success();
    assert_eq!(proxy.hosts(), BTreeSet::new());
}
