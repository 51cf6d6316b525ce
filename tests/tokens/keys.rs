//! Signing keys in the store and in the JWKS: what is published, what does not open, and what follows a master key.

use std::time::Duration;

use cognate::clock::Timestamp;
use cognate::crypto::{Random, RootSecret, decode, encode, sha256};
use cognate::keys::{
    Algorithm, KeyRecord, KeySet, KeySetRecord, LoadFault, MasterKeys, OpenError, Schedule, Signer, open_root,
    reseal_root, seal_root,
};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;

use super::workshop::{BENCHES, CLAIMS, NOW, POOL, master, sign};

const SCHEDULE: Schedule = Schedule {
    publish_ahead: Duration::from_secs(3600),
    rotate_after: Duration::from_secs(90 * 24 * 3600),
    token_life: Duration::from_secs(24 * 3600),
};

fn key(pool: &str, master: &MasterKeys) -> KeyRecord {
    let pkcs8 = Signer::generate_pkcs8(Algorithm::EdDSA).unwrap();
    KeyRecord::new(pool, Algorithm::EdDSA, &pkcs8, master, &Random::default(), NOW).unwrap()
}

fn fault(pool: &str, record: &KeySetRecord, master: &MasterKeys) -> LoadFault {
    KeySet::load(pool, 1, record.clone(), master).unwrap_err().cause
}

#[test]
fn a_token_verifies_with_another_library_and_the_published_jwk() {
    for bench in &*BENCHES {
        let header = jsonwebtoken::decode_header(&bench.genuine).unwrap();
        let set: JwkSet = serde_json::from_str(bench.set.jwks()).unwrap();
        let jwk = set.find(header.kid.as_deref().unwrap()).unwrap();
        let mut rules = Validation::new(header.alg);
        rules.validate_exp = false;
        let token =
            jsonwebtoken::decode::<Value>(&bench.genuine, &DecodingKey::from_jwk(jwk).unwrap(), &rules).unwrap();
        assert_eq!(token.claims, serde_json::from_str::<Value>(CLAIMS).unwrap());
        let text = String::from_utf8(decode(bench.parts()[0]).unwrap()).unwrap();
        assert_eq!(text, format!(r#"{{"kid":"{}","alg":"{}"}}"#, bench.kid, bench.algorithm));
    }
}

// B03
#[test]
fn the_jwks_has_the_public_members_and_no_others() {
    for (bench, (members, kty)) in BENCHES.iter().zip([
        (vec!["alg", "e", "kid", "kty", "n", "use"], "RSA"),
        (vec!["alg", "crv", "kid", "kty", "use", "x", "y"], "EC"),
        (vec!["alg", "crv", "kid", "kty", "use", "x"], "OKP"),
    ]) {
        let set: Value = serde_json::from_str(bench.set.jwks()).unwrap();
        let [jwk] = set["keys"].as_array().unwrap().as_slice() else { panic!("one key") };
        assert_eq!(jwk.as_object().unwrap().keys().collect::<Vec<_>>(), members);
        assert_eq!((&jwk["kty"], &jwk["use"]), (&kty.into(), &"sig".into()));
        assert_eq!((&jwk["alg"], &jwk["kid"]), (&bench.algorithm.to_string().into(), &bench.kid.as_str().into()));
        if let Some(n) = jwk["n"].as_str() {
            assert_eq!(decode(n).unwrap().len(), 256);
            let canonical = format!(r#"{{"e":"{}","kty":"RSA","n":"{n}"}}"#, jwk["e"].as_str().unwrap());
            assert_eq!(bench.kid, encode(sha256(canonical)));
        }
    }
}

// RFC 8037 A.3
#[test]
fn the_kid_is_the_thumbprint_of_rfc_7638() {
    let seed = decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
    let pkcs8 = [hex::decode("302e020100300506032b657004220420").unwrap(), seed].concat();
    let signer = Signer::from_pkcs8(Algorithm::EdDSA, &pkcs8).unwrap();
    assert_eq!(signer.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_new_key_is_in_the_jwks_before_it_signs_and_an_old_token_verifies_until_its_key_is_removed() {
    let master = master();
    let mut record = KeySetRecord::default();
    record.add(key(POOL, &master), &SCHEDULE, NOW);
    let before = KeySet::load(POOL, 1, record.clone(), &master).unwrap();
    let token = sign(before.signer(NOW).unwrap(), &1);

    record.add(key(POOL, &master), &SCHEDULE, NOW);
    let [old, new] = [0, 1].map(|index| record.keys[index].kid.clone());
    let both = KeySet::load(POOL, 2, record.clone(), &master).unwrap();
    assert!(both.knows(&old) && both.knows(&new) && !before.knows(&new));
    assert_eq!(both.signer(NOW).unwrap().kid(), old);
    assert_eq!(both.signer(NOW.plus(SCHEDULE.publish_ahead)).unwrap().kid(), new);
    assert_ne!(before.etag(), both.etag());
    assert!(both.etag().starts_with('"') && both.etag().ends_with('"'));
    assert!(both.jwks().find(&new) < both.jwks().find(&old), "the latest key comes first");
    both.verify(&token).unwrap();

    assert!(record.drop_expired(Timestamp(NOW.0 + 26 * 3_600_000)));
    let after = KeySet::load(POOL, 3, record, &master).unwrap();
    assert_eq!((after.version(), after.record().keys.len()), (3, 1));
    assert!(after.verify(&token).is_err());
    assert_eq!(KeySet::kid_of(&token), Some(old));
}

#[test]
fn a_key_set_survives_the_store_unchanged() {
    let master = master();
    for bench in &*BENCHES {
        let body = serde_json::to_string(bench.set.record()).unwrap();
        let read: KeySetRecord = serde_json::from_str(&body).unwrap();
        let again = KeySet::load(POOL, 2, read, &master).unwrap();
        assert_eq!((again.jwks(), again.etag()), (bench.set.jwks(), bench.set.etag()));
        again.verify(&bench.genuine).unwrap();
    }
}

#[test]
fn a_key_set_that_cannot_be_opened_says_so_and_is_not_made_anew() {
    let random = Random::default();
    let other = MasterKeys::parse(&MasterKeys::generate(&random).unwrap()).unwrap();
    let record = KeySetRecord { keys: vec![key(POOL, &master())], ..KeySetRecord::default() };
    let fault_text = KeySet::load(POOL, 1, record.clone(), &other).unwrap_err().to_string();
    assert!(fault_text.contains(POOL) && fault_text.contains("not among the master keys given"), "{fault_text}");
    assert!(matches!(fault(POOL, &record, &other), LoadFault::Sealed(OpenError::UnknownKey { .. })));
    assert!(matches!(fault("eu-west-1_Other", &record, &master()), LoadFault::Sealed(OpenError::Damaged)));

    let mut damaged = record.clone();
    damaged.keys[0].sealed.truncate(60);
    assert!(matches!(fault(POOL, &damaged, &master()), LoadFault::Sealed(OpenError::Damaged)));
    let mut confused = record.clone();
    confused.keys[0].algorithm = Algorithm::ES256;
    assert!(matches!(fault(POOL, &confused, &master()), LoadFault::Malformed));
    let mut planted = record;
    planted.keys[0].public = key(POOL, &master()).public;
    assert!(matches!(fault(POOL, &planted, &master()), LoadFault::Mismatch));
}

#[test]
fn a_new_master_key_rewraps_keys_and_root_and_the_old_one_can_go() {
    let random = Random::default();
    let new_text = MasterKeys::generate(&random).unwrap();
    let new = MasterKeys::parse(&new_text).unwrap();
    let both = MasterKeys::parse(&format!("{new_text} AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")).unwrap();
    let mut record = key(POOL, &master());
    assert!(record.reseal(POOL, &both, &random).unwrap());
    assert!(!record.reseal(POOL, &both, &random).unwrap());
    KeySet::load(POOL, 1, KeySetRecord { keys: vec![record], ..KeySetRecord::default() }, &new).unwrap();

    let root = RootSecret::new(random.bytes().unwrap());
    let sealed = seal_root(&master(), &random, &root).unwrap();
    let anew = reseal_root(&both, &random, &sealed).unwrap().unwrap();
    assert_eq!(open_root(&new, &anew).unwrap().expose(), root.expose());
    assert!(matches!(open_root(&new, &sealed), Err(OpenError::UnknownKey { .. })));
}

// Q03
#[test]
fn the_debug_text_of_a_key_shows_no_secret() {
    for bench in &*BENCHES {
        let sealed = &bench.set.record().keys[0].sealed;
        let text = format!("{:?} {:?} {:?}", bench.set, bench.set.signer(NOW).unwrap(), bench.set.record().keys[0]);
        assert!(text.contains("[redacted]") && !text.contains(sealed.as_str()), "{text}");
    }
    assert_eq!(format!("{:?}", master()), "MasterKeys([redacted])");
}
