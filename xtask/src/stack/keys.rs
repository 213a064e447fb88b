//! Key pairs for development: one that signs users' tokens, one for each service. They are made
//! once, on this machine, and belong in no repository.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::SERVICES;

/// What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo.
const PUBLIC_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0,
];

/// Characters on a line of PEM.
const PEM_WIDTH: usize = 64;

/// Makes the key pairs that are missing.
pub(crate) fn make(folder: &Path) -> anyhow::Result<()> {
    let services = folder.join("services");
    fs::create_dir_all(services.join("public")).context("cannot make the folder for keys")?;
    make_pair(&folder.join("user.pem"), &folder.join("user.pub.pem"))?;
    for service in SERVICES {
        let name = format!("{service}.pem");
        make_pair(&services.join(&name), &services.join("public").join(&name))?;
    }
    Ok(())
}

fn make_pair(private: &Path, public: &Path) -> anyhow::Result<()> {
    if private.exists() && public.exists() {
        return Ok(());
    }
    let (private_pem, public_pem) = pair()?;
    fs::write(private, private_pem).context("cannot write a private key")?;
    fs::set_permissions(private, fs::Permissions::from_mode(0o600))?;
    fs::write(public, public_pem).context("cannot write a public key")
}

/// A new private key (PKCS#8) and its public half (SubjectPublicKeyInfo), as PEM.
fn pair() -> anyhow::Result<(String, String)> {
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow!("no random numbers to be had"))?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref())
        .map_err(|error| anyhow!("a new key pair is refused: {error}"))?;
    let public = [&PUBLIC_PREFIX[..], pair.public_key().as_ref()].concat();
    Ok((
        pem("PRIVATE KEY", document.as_ref()),
        pem("PUBLIC KEY", &public),
    ))
}

fn pem(label: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let mut lines = vec![format!("-----BEGIN {label}-----")];
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, next) = rest.split_at_checked(PEM_WIDTH).unwrap_or((rest, ""));
        lines.push(line.to_owned());
        rest = next;
    }
    lines.push(format!("-----END {label}-----\n"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

    #[test]
    fn what_the_private_key_signs_the_public_key_accepts() {
        let (private, public) = pair().unwrap();
        let claims = serde_json::json!({ "sub": "somebody", "exp": 4_000_000_000_u64 });
        let key = EncodingKey::from_ed_pem(private.as_bytes()).unwrap();
        let token = jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &key).unwrap();
        let key = DecodingKey::from_ed_pem(public.as_bytes()).unwrap();
        let validation = Validation::new(Algorithm::EdDSA);
        let decoded = jsonwebtoken::decode::<serde_json::Value>(&token, &key, &validation).unwrap();
        assert_eq!(decoded.claims, claims);
    }

    #[test]
    fn keys_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path()).unwrap();
        let first = fs::read(folder.path().join("services/sync.pem")).unwrap();
        make(folder.path()).unwrap();
        assert_eq!(
            fs::read(folder.path().join("services/sync.pem")).unwrap(),
            first
        );
        assert!(folder.path().join("services/public/sync.pem").exists());
    }
}
