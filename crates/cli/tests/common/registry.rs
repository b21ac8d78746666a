//! A registry that is none of ECR's: on loopback, without TLS.

use std::process::{Child, Command, Stdio};

use shipspec_testbed::Testbed;

/// A password whose encoded form holds both characters in which the alphabets of base64 differ.
pub const PASSWORD: &str = "a>>>b???c~~~d";

/// The password, hashed as the registry wants it (bcrypt, cost 4).
const PASSWORD_HASH: &str = "$2b$04$fled4/jcc0agBh4PBrpYae3AAs0E4C0j/sE9.KPC81rlFKCg3Y0Z.";

/// A registry that runs as long as this value lives.
pub struct Registry {
    process: Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Registry {
    /// One that is open to all.
    pub fn open(testbed: &Testbed) -> Self {
        Self::start(testbed, false)
    }

    /// One for `user` and [`PASSWORD`] only.
    pub fn with_password(testbed: &Testbed) -> Self {
        Self::start(testbed, true)
    }

    fn start(testbed: &Testbed, has_password: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        drop(listener);
        let path = |name: &str| folder.path().join(name);
        let data = path("data");
        let users = path("htpasswd");
        std::fs::write(&users, format!("user:{PASSWORD_HASH}\n")).expect("the users");
        let access = if has_password {
            format!("auth: {{ htpasswd: {{ realm: test, path: {} }} }}\n", users.display())
        } else {
            String::new()
        };
        let config = format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\nhttp: {{ addr: 127.0.0.1:{port} }}\n{access}",
            data.display(),
        );
        std::fs::write(path("config.yml"), config).expect("the configuration");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path("config.yml")).env_clear().envs(testbed.environment());
        let process =
            command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("docker-registry");
        let is_up = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
        assert!((0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(50));
            is_up()
        }));
        Self { process, port, _folder: folder }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
