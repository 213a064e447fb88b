use super::*;

#[test]
fn a_service_token_opens_one_service_for_one_user_for_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let (sync, imports) = (Keys::generate(), Keys::generate());
    let public = folder.path().join("public");
    std::fs::create_dir(&public).unwrap();
    std::fs::write(public.join("sync.pem"), &sync.public_pem).unwrap();
    std::fs::write(public.join("imports.pem"), &imports.public_pem).unwrap();
    std::fs::write(public.join("README"), "not a key").unwrap();
    let private = folder.path().join("sync.pem");
    std::fs::write(&private, &sync.private_pem).unwrap();

    let signer = ServiceSigner::load("sync", &private).unwrap();
    let verifier = ServiceVerifier::load("export", &public).unwrap();
    let (user, now) = (testing::user(), testing::clock().now());
    let token = signer.token("export", user, now);
    let caller = verifier.verify(&token, now).unwrap();
    assert_eq!(caller.user_id, user);
    assert!(caller.expires_at <= now + TimeDelta::seconds(60));

    let late = now + TimeDelta::seconds(61);
    assert_eq!(verifier.verify(&token, late), Err(Refusal::Expired));
    let early = now - TimeDelta::seconds(60);
    assert_eq!(verifier.verify(&token, early), Err(Refusal::Invalid));
    let elsewhere = signer.token("imports", user, now);
    assert_eq!(verifier.verify(&elsewhere, now), Err(Refusal::Invalid));

    let good = json!({
        "iss": "sync", "aud": "export", "act": user.to_string(),
        "nbf": seconds(0), "exp": seconds(60),
    });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        claims
    };
    for (name, keys, claims, accepted) in [
        ("as it should be", &sync, good.clone(), true),
        ("the key of another service", &imports, good.clone(), false),
        ("a key of nobody", &Keys::generate(), good.clone(), false),
        (
            "a caller of nobody's",
            &sync,
            with("iss", json!("gateway")),
            false,
        ),
        (
            "a path for a name",
            &sync,
            with("iss", json!("../sync")),
            false,
        ),
        ("no user", &sync, with("act", json!("everybody")), false),
        (
            "for an hour",
            &sync,
            with("exp", json!(seconds(3600))),
            false,
        ),
    ] {
        let verified = verifier.verify(&keys.sign(&claims), now);
        assert_eq!(verified.is_ok(), accepted, "{name}");
    }
}

#[test]
fn keys_of_services_are_refused_by_name_and_without_their_content() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        ServiceVerifier::load("export", folder.path()).is_err(),
        "an empty folder"
    );
    std::fs::write(folder.path().join("sync.pem"), RSA_PUBLIC).unwrap();
    let error = format!(
        "{:#}",
        ServiceVerifier::load("export", folder.path())
            .err()
            .unwrap()
    );
    assert!(error.contains("sync.pem"), "{error}");

    let path = folder.path().join("private.pem");
    for pem in [RSA_PRIVATE, RSA_PUBLIC, "", "-----BEGIN PRIVATE KEY-----"] {
        std::fs::write(&path, pem).unwrap();
        let error = format!("{:#}", ServiceSigner::load("sync", &path).err().unwrap());
        assert!(
            error.contains("private.pem") && !error.contains("MII"),
            "{error}"
        );
    }
}
