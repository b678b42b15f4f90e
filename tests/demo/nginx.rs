//! A real nginx as origin: on a free port, with a certificate from an authority of its own.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::programs::{command, path_of, run};

/// A running nginx.
pub struct Nginx {
    pub address: SocketAddr,
    folder: TempDir,
}

impl Nginx {
    /// Starts one that speaks for `names`. `GET /big` is `big`; `PUT /put/…` keeps what it is given; every answer says
    /// how it was asked, in `x-asked`: protocol, connection, how many requests came on that connection.
    pub async fn start(names: &[&str], big: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        certify(folder.path(), names);
        // started by root, its workers would be nobody, who cannot write into our folder
        let user = if rustix::process::geteuid().is_root() {
            "user root;"
        } else {
            ""
        };
        let servers: String = names.iter().map(|name| SERVER.replace("{name}", name)).collect();
        for inside in ["html", "html/put", "html/dms-uploads", "body"] {
            std::fs::create_dir_all(folder.path().join(inside)).unwrap();
        }
        std::fs::write(folder.path().join("html/big"), big).unwrap();
        std::fs::write(folder.path().join("html/index.html"), "nginx is here\n").unwrap();
        // The kernel names a free port, and somebody else may take it before nginx does: then it names another.
        for _ in 0..10 {
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let nginx = Self {
                address: (Ipv4Addr::LOCALHOST, port).into(),
                folder: TempDir::new().unwrap(),
            };
            let root = folder.path().display().to_string();
            let conf = CONF.replace("{user}", user).replace("{servers}", &servers);
            let conf = conf.replace("{root}", &root).replace("{port}", &port.to_string());
            std::fs::write(folder.path().join("nginx.conf"), conf).unwrap();
            // it leaves the foreground once it listens
            let said = run(command(path_of("nginx"))
                .arg("-c")
                .arg(folder.path().join("nginx.conf")))
            .await;
            if said.code == 0 {
                return Self { folder, ..nginx };
            }
            assert!(said.err.contains("Address already in use"), "{said:#?}");
        }
        panic!("no port stayed free for nginx");
    }

    /// The root that signed its certificate.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("root.pem")
    }

    /// What was put under `name`.
    pub fn kept(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.path().join("html").join(name)).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let conf = self.folder.path().join("nginx.conf");
        let stopped = std::process::Command::new(path_of("nginx"))
            .arg("-c")
            .arg(conf)
            .args(["-s", "stop"])
            .output();
        drop(stopped);
    }
}

fn certify(folder: &std::path::Path, names: &[&str]) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority
        .distinguished_name
        .push(rcgen::DnType::CommonName, "Authority of the tests");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("root.pem"), authority.pem()).unwrap();
    // one certificate each: one that covered a managed platform, too, could carry it unseen
    for name in names {
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new([(*name).to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &authority).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), leaf.pem()).unwrap();
        std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// Nothing is written outside the folder.
const CONF: &str = "
{user}
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
  client_max_body_size 100m;
  default_type text/plain;
  add_header x-asked '$server_protocol $connection $connection_requests' always;
  {servers}
}
";

const SERVER: &str = "
  server {
    listen 127.0.0.1:{port} ssl http2;
    server_name {name};
    ssl_certificate {root}/{name}.pem;
    ssl_certificate_key {root}/{name}.key;
    root {root}/html;
    location /put/ { dav_methods PUT; }
    location /dms-uploads/ { dav_methods PUT; }
  }
";
