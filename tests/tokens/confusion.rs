//! Algorithm confusion: tokens signed with an HMAC whose secret is the public key in any of its texts, or a weak one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognate::crypto::{decode, encode};
use cognate::keys::Algorithm;
use jsonwebtoken::EncodingKey;
use serde_json::Value;

use super::workshop::{BENCHES, Bench, CLAIMS};

// A04
#[test]
fn a_public_key_used_as_a_shared_secret_is_refused() {
    for bench in &*BENCHES {
        for (what, secret) in public_key_texts(bench) {
            for (alg, name) in [
                (jsonwebtoken::Algorithm::HS256, "HS256"),
                (jsonwebtoken::Algorithm::HS384, "HS384"),
                (jsonwebtoken::Algorithm::HS512, "HS512"),
            ] {
                bench.refuses(what, &keyed(bench, name, alg, &secret));
                bench.refuses(what, &keyed(bench, bench.algorithm.as_str(), alg, &secret));
            }
        }
    }
}

// A05
#[test]
fn an_empty_or_weak_shared_secret_is_refused() {
    for bench in &*BENCHES {
        for secret in ["", "\0", " ", "secret", "null", "undefined", "changeme", "00000000000000000000000000000000"] {
            bench.refuses(secret, &keyed(bench, "HS256", jsonwebtoken::Algorithm::HS256, secret.as_bytes()));
        }
    }
}

/// A token whose signature is an HMAC under `secret`.
fn keyed(bench: &Bench, name: &str, alg: jsonwebtoken::Algorithm, secret: &[u8]) -> String {
    let header = format!(r#"{{"kid":"{}","alg":"{name}"}}"#, bench.kid);
    let message = format!("{}.{}", encode(header), encode(CLAIMS));
    let mac = jsonwebtoken::crypto::sign(message.as_bytes(), &EncodingKey::from_secret(secret), alg).unwrap();
    format!("{message}.{mac}")
}

/// Every text in which a public key goes about.
fn public_key_texts(bench: &Bench) -> Vec<(&'static str, Vec<u8>)> {
    let set: Value = serde_json::from_str(bench.set.jwks()).unwrap();
    let jwk = &set["keys"][0];
    let text = |name: &str| jwk[name].as_str().unwrap();
    let bytes = |name: &str| decode(text(name)).unwrap();
    let (member, bare) = match bench.algorithm {
        Algorithm::RS256 => ("n", pkcs1(&bytes("n"), &bytes("e"))),
        Algorithm::ES256 => ("x", [vec![4], bytes("x"), bytes("y")].concat()),
        Algorithm::EdDSA => ("x", bytes("x")),
    };
    let spki = spki(bench.algorithm, &bare);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&spki));
    vec![
        ("PEM", pem.clone().into_bytes()),
        ("PEM without its last newline", pem.trim_end().as_bytes().to_vec()),
        ("the inside of the PEM", STANDARD.encode(&spki).into_bytes()),
        ("SPKI", spki),
        ("the bare key", bare),
        ("JWK", jwk.to_string().into_bytes()),
        ("JWKS", bench.set.jwks().as_bytes().to_vec()),
        ("n or x as text", text(member).as_bytes().to_vec()),
        ("n or x", bytes(member)),
    ]
}

fn pkcs1(n: &[u8], e: &[u8]) -> Vec<u8> {
    der(0x30, &[der(2, &[&[0], n].concat()), der(2, e)].concat())
}

fn spki(algorithm: Algorithm, bare: &[u8]) -> Vec<u8> {
    let id: &[u8] = match algorithm {
        Algorithm::RS256 => &[6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0],
        Algorithm::ES256 => &[6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 8, 42, 134, 72, 206, 61, 3, 1, 7],
        Algorithm::EdDSA => &[6, 3, 43, 101, 112],
    };
    der(0x30, &[der(0x30, id), der(3, &[&[0], bare].concat())].concat())
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = match length {
        0..128 => vec![tag, length as u8],
        128..256 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    out.extend_from_slice(content);
    out
}
