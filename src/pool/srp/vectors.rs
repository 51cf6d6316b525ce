//! Two exchanges whose numbers were made by other implementations, number by number, and one with a client of our own.

use crypto_bigint::U3072;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::*;
use crate::clock::Timestamp;
use crate::crypto::{self, Random};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[derive(Deserialize)]
struct Vector {
    pool_id: String,
    user_id_for_srp: String,
    password: String,
    salt: String,
    b: String,
    x: String,
    v: String,
    #[serde(rename = "A")]
    public_a: String,
    #[serde(rename = "B")]
    public_b: String,
    u: String,
    #[serde(rename = "S")]
    secret: String,
    prk: String,
    key: String,
    secret_block_b64: String,
    timestamp: String,
    signature: String,
    k: String,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/srp-vectors.json")).unwrap()
}

fn hex_of(number: &U3072) -> String {
    group::canonical_hex(number.to_be_bytes().as_ref())
}

impl Vector {
    fn owner(&self) -> Identity<'_> {
        Identity::user(&self.pool_id, &self.user_id_for_srp)
    }

    fn verifier(&self) -> Verifier {
        Verifier::derive(&group::read_hex(&self.salt).unwrap(), self.owner(), &self.password)
    }

    fn challenge(&self) -> ServerChallenge {
        let mut b = Zeroizing::new([0; 32]);
        hex::decode_to_slice(format!("{:0>64}", self.b), b.as_mut_slice()).unwrap();
        ServerChallenge::with(b, SrpA::parse(&self.public_a).unwrap(), &self.verifier()).unwrap()
    }

    fn claim(&self) -> Claim<'_> {
        let (secret_block, timestamp) = (&self.secret_block_b64, &self.timestamp);
        Claim { owner: self.owner(), secret_block, timestamp, signature: &self.signature }
    }

    fn when(&self) -> Timestamp {
        Timestamp(if self.timestamp.starts_with("Sun") { 1_769_904_007_000 } else { 1_795_611_909_000 })
    }
}

#[test]
fn every_number_is_the_one_that_cognitos_clients_reckon_with() {
    for vector in vectors() {
        let (verifier, challenge) = (vector.verifier(), vector.challenge());
        let salt = group::read_hex(&vector.salt).unwrap();
        assert_eq!(hex_of(&group::K.retrieve()), vector.k);
        assert_eq!(hex::encode(*verifier::x(&salt, vector.owner(), &vector.password)), vector.x);
        assert_eq!(verifier.salt(), vector.salt);
        assert_eq!(hex_of(&verifier.v().retrieve()), vector.v);
        assert_eq!(challenge.srp_b(), vector.public_b);
        let u = challenge.u();
        assert_eq!(hex::encode(u), vector.u);
        let secret = challenge.shared_secret(&u, &verifier).unwrap();
        assert_eq!(hex_of(&secret), vector.secret);
        assert_eq!(hex::encode(*challenge::pseudorandom_key(&u, &secret)), vector.prk);
        assert_eq!(hex::encode(*challenge::derived_key(&u, &secret)), vector.key);
        assert!(challenge.is_proven_by(&verifier, &vector.claim(), vector.when()));
    }
}

// K02: a proof holds for its own words alone.
#[test]
fn a_proof_of_anything_else_is_none() {
    for vector in vectors() {
        let (verifier, challenge, claim) = (vector.verifier(), vector.challenge(), vector.claim());
        let proven = |claim: Claim<'_>| challenge.is_proven_by(&verifier, &claim, vector.when());
        assert!(!proven(Claim { owner: Identity::user(&vector.pool_id, "bob"), ..claim }));
        assert!(!proven(Claim { owner: Identity::user("us-east-1_Other", &vector.user_id_for_srp), ..claim }));
        assert!(!proven(Claim { secret_block: "AAAA", ..claim }));
        assert!(!proven(Claim { secret_block: "no base64", ..claim }));
        assert!(!proven(Claim { timestamp: "Sun Feb 1 00:00:08 UTC 2026", ..claim }));
        for signature in ["", "AAAA", "no base64", "kz9UXsMLI2kAEYV5ShvLSefG3ggKz4FhTnSfGJ3kDxV="] {
            assert!(!proven(Claim { signature, ..claim }), "{signature}");
        }
        assert!(!challenge.is_proven_by(&verifier, &claim, vector.when().plus(std::time::Duration::from_secs(301))));
        let wrong = Verifier::derive(&[1; 16], vector.owner(), &vector.password);
        assert!(!challenge.is_proven_by(&wrong, &claim, vector.when()));
        // With a u of 0 the verifier would count for nothing.
        assert!(challenge.shared_secret(&[0; 32], &verifier).is_none());
    }
}

// K01: whatever is no number of the group is refused before a key is computed.
#[test]
fn a_number_that_would_give_the_secret_away_is_refused() {
    let modulus = hex::encode(group::MODULUS.as_ref());
    let (mut below, mut above) = (group::MODULUS, group::MODULUS);
    *below.as_mut_slice().last_mut().unwrap() -= 1;
    *above.as_mut_slice().first_mut().unwrap() = 0xff;
    *above.as_mut_slice().last_mut().unwrap() = 0xff;
    above.as_mut_slice()[10] = 0xff;
    let twice = "1fffffffffffffffff921fb54442d18469898cc51701b839a252049c1114cf98eca";
    assert!(SrpA::parse(&hex::encode(below.as_ref())).is_ok());
    for text in [
        "",
        "0",
        "00",
        &"0".repeat(768),
        &"0".repeat(770),
        &modulus,
        &modulus.to_uppercase(),
        &format!("00{modulus}"),
        &format!("{twice:0<769}"),
        &hex::encode(above.as_ref()),
        &"f".repeat(768),
        &format!("{modulus}00"),
        &format!("000{}", &modulus[..768]),
        &"1".repeat(1_000_000),
        "xyz",
        "-1",
        "+1",
        "0x1f",
        " 1f",
        "1f\n",
        "ü",
    ] {
        let refusal = SrpA::parse(text).err().map(|error| error.to_string());
        let words = "SRP_A must be a number between 0 and N in hexadecimal".to_owned();
        assert_eq!(refusal, Some(words), "{}", text.chars().take(20).collect::<String>());
    }
    assert_eq!(SrpA::parse("aBc").unwrap(), SrpA::parse("000ABC").unwrap());
}

/// A client as Cognito's are, over numbers of its own.
struct Client {
    a: [u8; 32],
}

impl Client {
    fn srp_a(&self) -> String {
        hex_of(&group::power_of_g(&self.a).retrieve())
    }

    /// S = (B - k·g^x)^(a + u·x): here by (B - k·g^x)^a · ((B - k·g^x)^u)^x.
    fn sign(&self, owner: Identity<'_>, password: &str, asked: (&str, &str, &str), timestamp: &str) -> String {
        let (salt, srp_b, block) = asked;
        let public = group::read(&group::read_hex(srp_b).unwrap()).unwrap();
        let x = verifier::x(&group::read_hex(salt).unwrap(), owner, password);
        let shared = group::Element::new(&public).sub(&group::K.mul(&group::power_of_g(&x)));
        let (own, told) = (group::power_of_g(&self.a).retrieve(), public);
        let words = [own, told].map(|number| group::pad(number.to_be_bytes().as_ref()));
        let u = crypto::sha256([words[0].as_slice(), words[1].as_slice()].concat());
        let secret = group::power(&shared, &self.a).mul(&group::power(&group::power(&shared, &u), &x));
        let key = challenge::derived_key(&u, &secret.retrieve());
        let block = STANDARD.decode(block).unwrap();
        let parts = [owner.pool.as_bytes(), owner.name.as_bytes(), &block, timestamp.as_bytes()];
        STANDARD.encode(crypto::hmac_sha256(&*key, &parts))
    }
}

#[test]
fn a_client_signs_in_by_its_password_alone_and_a_device_by_its_own() {
    let random = Random::default();
    let key = crypto::RootSecret::new([7; 32]).seal_key("srp-block", "us-east-1_Sample").unwrap();
    let timestamp = "Sun Feb 1 00:00:07 UTC 2026";
    let now = Timestamp(1_769_904_007_000);
    let place = Place { pool: "us-east-1_Sample", client: "web", device: None };
    for owner in [Identity::user("us-east-1_Sample", "alice"), Identity::device("-AbC", "us-east-1_77")] {
        let verifier = Verifier::new(&random, owner, "P@ssw0rd-ü你").unwrap();
        for (password, right) in [("P@ssw0rd-ü你", true), ("P@ssw0rd-u你", false), ("", false)] {
            let client = Client { a: random.bytes().unwrap() };
            let challenge = ServerChallenge::new(&random, SrpA::parse(&client.srp_a()).unwrap(), &verifier).unwrap();
            let srp_b = challenge.srp_b();
            let block = SecretBlock::new(&random, uuid::Uuid::nil(), Timestamp(now.0 + 1), challenge).unwrap();
            let text = block.seal(&key, &random, place).unwrap();
            let signature = client.sign(owner, password, (&verifier.salt(), &srp_b, &text), timestamp);
            let opened = SecretBlock::open(&key, place, &text, now).unwrap();
            let claim = Claim { owner, secret_block: &text, timestamp, signature: &signature };
            assert_eq!(opened.challenge.is_proven_by(&verifier, &claim, now), right, "{password}");
        }
    }
}
