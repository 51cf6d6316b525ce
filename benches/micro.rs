//! What a token costs beside its bare signature, and what SRP costs: `cargo bench --bench micro`. After criterion's
//! figures comes a table whose columns were measured in turns, so that its ratios hold on a machine whose speed drifts.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use cognate::clock::Timestamp;
use cognate::crypto::{Random, decode};
use cognate::keys::{Algorithm, KeyRecord, KeySet, KeySetRecord, MasterKeys, Signer};
use cognate::pool::srp::{Claim, Identity, ServerChallenge, SrpA, Verifier};
use criterion::Criterion;
use futures_util::FutureExt as _;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const ROUNDS: usize = 41;

type Work<'a> = (&'static str, Box<dyn Fn() + 'a>);

/// The raw signature of one algorithm with its key parsed once: the limit.
enum Raw {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Raw {
    fn new(algorithm: Algorithm, pkcs8: &[u8]) -> Self {
        match algorithm {
            Algorithm::RS256 => Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8).unwrap()),
            Algorithm::ES256 => Self::Ecdsa(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap()),
            Algorithm::EdDSA => Self::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).unwrap()),
        }
    }

    fn sign(&self, message: &[u8]) {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                black_box(signature);
            }
            Self::Ecdsa(key) => drop(black_box(key.sign(&random, message).unwrap().as_ref().to_vec())),
            Self::Ed25519(key) => drop(black_box(key.sign(message).as_ref().to_vec())),
        }
    }

    fn public(&self) -> ParsedPublicKey {
        match self {
            Self::Rsa(key) => ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key()),
            Self::Ecdsa(key) => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key()),
            Self::Ed25519(key) => ParsedPublicKey::new(&ED25519, key.public_key()),
        }
        .unwrap()
    }
}

/// One algorithm: a pool's key set with one key, and the same key bare.
struct Case {
    algorithm: Algorithm,
    raw: Raw,
    set: KeySet,
    claims: Value,
    token: String,
}

impl Case {
    fn new(algorithm: Algorithm) -> Self {
        let random = Random::default();
        let master = MasterKeys::parse(&MasterKeys::generate(&random).unwrap()).unwrap();
        let pkcs8 = Signer::generate_pkcs8(algorithm).unwrap();
        let record = KeyRecord::new("us-east-1_Bench", algorithm, &pkcs8, &master, &random, NOW).unwrap();
        let set =
            KeySet::load("us-east-1_Bench", 1, KeySetRecord { keys: vec![record], ..KeySetRecord::default() }, &master)
                .unwrap();
        let claims = access_token_claims();
        let token = set.signer(NOW).unwrap().sign(&claims).now_or_never().unwrap().unwrap();
        Self { algorithm, raw: Raw::new(algorithm, &pkcs8), set, claims, token }
    }

    fn message(&self) -> (&str, Vec<u8>) {
        let (message, signature) = self.token.rsplit_once('.').unwrap();
        (message, decode(signature).unwrap())
    }

    fn signing(&self) -> Vec<Work<'_>> {
        let signer = self.set.signer(NOW).unwrap();
        let (message, _) = self.message();
        vec![
            ("raw", Box::new(|| self.raw.sign(message.as_bytes()))),
            ("cognate", Box::new(|| drop(black_box(signer.sign(&self.claims).now_or_never().unwrap().unwrap())))),
        ]
    }

    fn verifying(&self) -> Vec<Work<'_>> {
        let (message, signature) = self.message();
        let public = self.raw.public();
        let jwks: JwkSet = serde_json::from_str(self.set.jwks()).unwrap();
        let key = DecodingKey::from_jwk(jwks.keys.first().unwrap()).unwrap();
        let mut rules = Validation::new(self.algorithm.as_str().parse().unwrap());
        rules.validate_exp = false;
        vec![
            ("raw", Box::new(move || public.verify_sig(message.as_bytes(), &signature).unwrap())),
            ("cognate", Box::new(|| drop(black_box(self.set.verify(&self.token).unwrap())))),
            (
                "jsonwebtoken",
                Box::new(move || {
                    drop(black_box(jsonwebtoken::decode::<Value>(&self.token, &key, &rules).unwrap()));
                }),
            ),
        ]
    }
}

/// An access token of usual size.
fn access_token_claims() -> Value {
    json!({
        "sub": "2f1c7a52-0f3e-4f3c-9a77-1d9a5f4f9f10",
        "cognito:groups": ["administrators", "editors"],
        "iss": "https://login.example.com/us-east-1_Ab3dEf6hI",
        "client_id": "1h57kf5cpq17m0eml12EXAMPLE",
        "origin_jti": "6f1a9d32-5c1c-4a3e-8d7b-0e5f1c2a3b4d",
        "event_id": "b1c9f4e0-7a0e-4c65-9d86-2f3f8d0b7a11",
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "auth_time": 1_790_000_000,
        "exp": 1_790_003_600,
        "iat": 1_790_000_000,
        "jti": "d4c3b2a1-1b2c-4d3e-8f4a-5b6c7d8e9f00",
        "username": "2f1c7a52-0f3e-4f3c-9a77-1d9a5f4f9f10",
    })
}

/// The median time of one call of each work, all measured in turns.
fn in_turns(works: &[Work<'_>]) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(ROUNDS); works.len()];
    for _ in 0..ROUNDS {
        for ((_, work), times) in works.iter().zip(&mut times) {
            let began = Instant::now();
            (0..50).for_each(|_| work());
            times.push(began.elapsed() / 50);
        }
    }
    for times in &mut times {
        times.sort();
    }
    times.iter().filter_map(|times| times.get(ROUNDS / 2).copied()).collect()
}

fn compare(case: &Case, verb: &str, works: &[Work<'_>]) {
    let times = in_turns(works);
    let raw = times.first().unwrap().as_secs_f64();
    for ((name, _), time) in works.iter().zip(&times) {
        let micros = time.as_secs_f64() * 1e6;
        println!(
            "{:<6} {verb:<7} {name:<13} {micros:>9.1} µs {:>6.2} of raw",
            case.algorithm,
            raw / time.as_secs_f64()
        );
    }
}

/// What one SRP sign-in costs the server: asking takes a power of g, checking two powers of any number. A wrong proof
/// costs what a right one does.
fn srp(criterion: &mut Criterion) {
    let random = Random::default();
    let owner = Identity::user("us-east-1_Bench", "2f1c7a52-0f3e-4f3c-9a77-1d9a5f4f9f10");
    let verifier = Verifier::new(&random, owner, "correct horse Battery 9!").unwrap();
    let a = SrpA::parse(&"c0ffee".repeat(128)).unwrap();
    let ask = || ServerChallenge::new(&random, a, &verifier).unwrap();
    let signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let claim = Claim { owner, secret_block: "AAAA", timestamp: "Mon Sep 21 14:13:20 UTC 2026", signature };
    let asked = ask();
    let mut group = criterion.benchmark_group("SRP");
    group.bench_function("challenge", |bencher| bencher.iter(ask));
    group.bench_function("verify", |bencher| bencher.iter(|| asked.is_proven_by(&verifier, &claim, NOW)));
    group.bench_function("challenge and verify", |bencher| {
        bencher.iter(|| ask().is_proven_by(&verifier, &claim, NOW));
    });
    group.finish();
}

fn main() {
    let cases = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA].map(Case::new);
    let mut criterion = Criterion::default().configure_from_args().sample_size(30);
    for case in &cases {
        for (verb, works) in [("sign", case.signing()), ("verify", case.verifying())] {
            let mut group = criterion.benchmark_group(format!("{} {verb}", case.algorithm));
            for (name, work) in &works {
                group.bench_function(*name, |bencher| bencher.iter(work));
            }
            group.finish();
        }
    }
    srp(&mut criterion);
    criterion.final_summary();
    for case in &cases {
        compare(case, "sign", &case.signing());
        compare(case, "verify", &case.verifying());
    }
}
