//! A company's intermediate, as companies make them: with OpenSSL, in every form of PEM.

use std::fs;

use rustls::pki_types::pem::PemObject as _;

use super::*;
use crate::tls::import::import;

/// Names as Active Directory makes them (several parts of one kind), and as people write them.
const SETTINGS: &str = r"
[req]
distinguished_name = root_name
prompt = no
utf8 = yes
[root_name]
1.DC = com
2.DC = example
3.DC = corp
CN = Größte, Root
[issuing_name]
1.DC = com
2.DC = example
3.DC = corp
OU = Ünit 1
+CN = Proxy, issuing
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[issuing]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[bare]
basicConstraints = critical,CA:TRUE
[server]
basicConstraints = CA:FALSE
[crl_only]
basicConstraints = critical,CA:TRUE
keyUsage = critical,cRLSign
[constrained]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
nameConstraints = critical,permitted;DNS:linkedin.com,permitted;IP:10.0.0.0/255.0.0.0
[dead_end]
basicConstraints = critical,CA:TRUE,pathlen:0
";

/// A company with a root, in a folder; it signs by the machine's clock, so its certificates tell the time.
struct Company(tempfile::TempDir);

impl Company {
    fn new() -> Self {
        Self::with_root("root")
    }

    fn with_root(extensions: &str) -> Self {
        let company = Self(tempfile::tempdir().unwrap());
        fs::write(company.path().join("openssl.cnf"), SETTINGS).unwrap();
        openssl_does(
            company.path(),
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out root.key",
        );
        openssl_does(
            company.path(),
            &format!(
                "req -x509 -config openssl.cnf -extensions {extensions} -key root.key -days 3650 -sha384 -out root.pem"
            ),
        );
        company
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Signs the key in `key.pem`; the result is `chain.pem`: the root first, to show that order does not matter.
    fn sign(&self, extensions: &str) {
        let name = SETTINGS.replace("distinguished_name = root_name", "distinguished_name = issuing_name");
        fs::write(self.path().join("issuing.cnf"), name).unwrap();
        openssl_does(
            self.path(),
            "req -new -config issuing.cnf -key key.pem -out issuing.csr",
        );
        openssl_does(
            self.path(),
            &format!(
                "x509 -req -in issuing.csr -CA root.pem -CAkey root.key -days 90 -extfile openssl.cnf -extensions \
                 {extensions} -out issuing.pem"
            ),
        );
        let read = |name| fs::read_to_string(self.path().join(name)).unwrap();
        fs::write(self.path().join("chain.pem"), read("root.pem") + &read("issuing.pem")).unwrap();
    }

    /// An hour after the signing.
    fn now(&self) -> Timestamp {
        let text = fs::read(self.path().join("issuing.pem")).unwrap();
        let der = CertificateDer::from_pem_slice(&text).unwrap();
        let from = Certificate::read(&der).unwrap().validity.from;
        from.plus(Duration::from_hours(1))
    }

    fn certs(&self) -> PathBuf {
        self.path().join("certs")
    }

    fn import(&self, chain: &str, key: &str) -> Result<Vec<String>, String> {
        let (chain, key) = (self.path().join(chain), self.path().join(key));
        import(&self.certs(), &chain, &key, true, self.now())
            .map(|imported| imported.warnings)
            .map_err(|problem| problem.to_string())
    }
}

const KEYS: [(&str, &str); 6] = [
    (
        "PKCS#8",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
    ),
    (
        "SEC1 after EC PARAMETERS",
        "ecparam -name prime256v1 -genkey -out key.pem",
    ),
    ("SEC1, P-384", "ecparam -name secp384r1 -noout -genkey -out key.pem"),
    ("SEC1, P-521", "ecparam -name secp521r1 -noout -genkey -out key.pem"),
    ("PKCS#1", "genrsa -traditional -out key.pem 2048"),
    (
        "PKCS#8, RSA",
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem",
    ),
];

#[tokio::test]
async fn a_key_in_every_form_is_imported_loaded_and_signs_what_openssl_and_clients_accept() {
    let company = Company::new();
    for (form, made_by) in KEYS {
        openssl_does(company.path(), made_by);
        company.sign("issuing");
        let warnings = company.import("chain.pem", "key.pem").unwrap();
        let rsa = form.contains("RSA") || form == "PKCS#1";
        assert_eq!(
            warnings.iter().any(|warning| warning.contains("RSA")),
            rsa,
            "{form}: {warnings:?}"
        );
        let unconstrained = warnings.iter().any(|warning| warning.contains("no name constraints"));
        assert!(unconstrained, "{form}: {warnings:?}");
        assert_eq!(warnings.len(), 1 + usize::from(rsa), "{form}: {warnings:?}");

        let clock = Clock::fixed(company.now());
        let issuer = Issuer::load(&company.certs()).unwrap();
        assert_eq!(issuer.is_slow(), rsa);
        let mint = Mint::new(issuer, clock.clone(), &Settings::default()).unwrap();
        let certified = mint.certified(&host("www.linkedin.com")).await.unwrap();
        assert_eq!(certified.cert.len(), 2, "{form}");
        fs::write(company.path().join("leaf.pem"), pem_of(&certified.cert)).unwrap();
        let at = clock.now().as_millis() / 1000;
        openssl_does(
            company.path(),
            &format!(
                "verify -x509_strict -purpose sslserver -attime {at} -CAfile root.pem -untrusted leaf.pem \
                 -verify_hostname www.linkedin.com leaf.pem"
            ),
        );
        let client = Arc::new(trusting(mint.issuer().root(), &clock, &[]));
        let config = mint.server_config(&host("www.linkedin.com")).await.unwrap();
        let (near, _) = shake(config, client, "www.linkedin.com").await;
        assert!(near.is_ok(), "{form}: {near:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stampede_on_a_slow_authority_makes_one_certificate_too() {
    let company = Company::new();
    openssl_does(company.path(), "genrsa -out key.pem 2048");
    company.sign("issuing");
    company.import("chain.pem", "key.pem").unwrap();
    let issuer = Issuer::load(&company.certs()).unwrap();
    let mint = Arc::new(Mint::new(issuer, Clock::fixed(company.now()), &Settings::default()).unwrap());
    let crowd: Vec<_> = (0..100)
        .map(|_| {
            let mint = mint.clone();
            tokio::spawn(async move { mint.certified(&host("www.x.com")).await.unwrap() })
        })
        .collect();
    for one in crowd {
        one.await.unwrap();
    }
    assert_eq!(mint.signed(), 1);
}

#[test]
fn a_worker_goes_on_serving_while_a_slow_authority_signs() {
    let company = Company::new();
    openssl_does(company.path(), "genrsa -out key.pem 2048");
    company.sign("issuing");
    company.import("chain.pem", "key.pem").unwrap();
    let issuer = Issuer::load(&company.certs()).unwrap();
    assert!(issuer.is_slow());
    let clock = Clock::fixed(company.now());
    let mint = Arc::new(Mint::new(issuer, clock.clone(), &Settings::default()).unwrap());
    // one worker, and one thread for what blocks
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let known = mint.server_config(&host("www.linkedin.com")).await.unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let blocks = tokio::task::spawn_blocking(move || held.recv().is_err());
        let minting = tokio::spawn({
            let mint = Arc::clone(&mint);
            async move { mint.certified(&host("www.x.com")).await.unwrap() }
        });
        let client = Arc::new(trusting(mint.issuer().root(), &clock, &[]));
        for _ in 0..5 {
            let (near, far) = shake(Arc::clone(&known), Arc::clone(&client), "www.linkedin.com").await;
            assert!(near.is_ok() && far.is_ok(), "{near:?}");
        }
        assert!(
            !minting.is_finished() && mint.signed() == 1,
            "it was signed on the worker"
        );
        drop(release);
        assert!(blocks.await.unwrap());
        minting.await.unwrap();
        assert_eq!(mint.signed(), 2);
    });
}

#[test]
fn an_encrypted_key_is_refused_with_the_line_that_decrypts_it() {
    let company = Company::new();
    openssl_does(company.path(), "ecparam -name prime256v1 -noout -genkey -out key.pem");
    company.sign("issuing");
    openssl_does(
        company.path(),
        "ec -in key.pem -aes128 -passout pass:secret -out legacy.key",
    );
    openssl_does(
        company.path(),
        "pkcs8 -topk8 -in key.pem -passout pass:secret -out pkcs8.key",
    );
    for key in ["legacy.key", "pkcs8.key"] {
        let refused = company.import("chain.pem", key).unwrap_err();
        let path = company.path().join(key).display().to_string();
        assert!(
            refused.contains(&format!("openssl pkey -in {path} -out plain.key")),
            "{refused}"
        );
        openssl_does(
            company.path(),
            &format!("pkey -in {path} -passin pass:secret -out plain.key"),
        );
        company.import("chain.pem", "plain.key").unwrap();
    }
}

#[test]
fn what_cannot_sign_for_sites_is_refused_with_the_reason() {
    let company = Company::new();
    openssl_does(company.path(), KEYS[0].1);
    for (extensions, reason) in [("server", "not a CA"), ("crl_only", "keyCertSign")] {
        company.sign(extensions);
        let refused = company.import("chain.pem", "key.pem").unwrap_err();
        assert!(refused.contains(reason), "{refused}");
    }
    company.sign("issuing");
    openssl_does(company.path(), "ecparam -name prime256v1 -genkey -out other.key");
    let refused = company.import("chain.pem", "other.key").unwrap_err();
    assert!(
        refused.contains("other.key") && refused.contains("chain.pem"),
        "{refused}"
    );
    for (chain, key) in [
        ("chain.pem", "missing.key"),
        ("missing.pem", "key.pem"),
        ("key.pem", "key.pem"),
    ] {
        assert!(company.import(chain, key).is_err());
    }
    let refused = company.import("chain.pem", "root.pem").unwrap_err();
    assert!(refused.contains("no usable private key"), "{refused}");
    assert!(!company.certs().exists(), "nothing was written");
}

#[test]
fn an_ended_intermediate_is_refused() {
    let company = Company::new();
    openssl_does(company.path(), KEYS[0].1);
    company.sign("issuing");
    let (chain, key) = (company.path().join("chain.pem"), company.path().join("key.pem"));
    let late = company.now().plus(DAY * 90);
    let refused = import(&company.certs(), &chain, &key, false, late).err().unwrap();
    assert!(matches!(refused, TlsProblem::NotValidNow { .. }), "{refused}");
    let close = company.now().plus(DAY * 70);
    let imported = import(&company.certs(), &chain, &key, false, close).unwrap();
    assert!(imported.warnings.iter().any(|warning| warning.contains("expires soon")));
    let again = import(&company.certs(), &chain, &key, false, close).err().unwrap();
    assert!(matches!(again, TlsProblem::Exists { .. }), "{again}");
}

#[test]
fn a_chain_that_no_browser_would_accept_is_found_out_before_it_is_kept() {
    let company = Company::with_root("dead_end");
    openssl_does(company.path(), KEYS[0].1);
    company.sign("issuing");
    let refused = company.import("chain.pem", "key.pem").unwrap_err();
    assert!(refused.contains("path length is 0"), "{refused}");

    let (one, other) = (Company::new(), Company::new());
    openssl_does(one.path(), KEYS[0].1);
    one.sign("issuing");
    let read = |company: &Company, name| fs::read_to_string(company.path().join(name)).unwrap();
    let mixed = read(&one, "issuing.pem") + &read(&other, "root.pem");
    fs::write(one.path().join("mixed.pem"), mixed).unwrap();
    let refused = one.import("mixed.pem", "key.pem").unwrap_err();
    assert!(refused.contains("did not verify"), "{refused}");
}

#[tokio::test]
async fn without_the_root_the_intermediate_works_and_the_missing_root_is_said() {
    let company = Company::new();
    openssl_does(company.path(), KEYS[0].1);
    company.sign("bare");
    let warnings = company.import("issuing.pem", "key.pem").unwrap();
    assert!(
        warnings.iter().any(|warning| warning.contains("root is not in")),
        "{warnings:?}"
    );
    let issuer = Issuer::load(&company.certs()).unwrap();
    let mint = Mint::new(issuer, Clock::fixed(company.now()), &Settings::default()).unwrap();
    let certified = mint.certified(&host("www.x.com")).await.unwrap();
    assert_eq!(certified.cert.len(), 2);
    fs::write(company.path().join("leaf.pem"), pem_of(&certified.cert)).unwrap();
    let at = company.now().as_millis() / 1000;
    openssl_does(
        company.path(),
        &format!("verify -attime {at} -CAfile root.pem -untrusted leaf.pem leaf.pem"),
    );
}

#[tokio::test]
async fn the_companys_own_constraints_are_kept_to() {
    let company = Company::with_root("constrained");
    openssl_does(company.path(), KEYS[0].1);
    company.sign("issuing");
    company.import("chain.pem", "key.pem").unwrap();
    let issuer = Issuer::load(&company.certs()).unwrap();
    for (name, permitted) in [
        ("www.linkedin.com", true),
        ("10.1.2.3", true),
        ("x.com", false),
        ("192.0.2.1", false),
    ] {
        assert_eq!(issuer.permits(&host(name)), permitted, "{name}");
    }
}
