//! What a forger sends: every form of a token that is not ours is refused, and a genuine one is accepted.

use std::time::{Duration, Instant};

use cognate::crypto::{decode, encode};
use cognate::keys::KeySet;
use serde_json::{Value, json};

use super::workshop::{BENCHES, CLAIMS};

// A00: the control without which the others prove nothing.
#[test]
fn a_genuine_token_is_accepted_and_yields_its_payload() {
    for bench in &*BENCHES {
        let payload: Value = serde_json::from_slice(&bench.set.verify(&bench.genuine).unwrap()).unwrap();
        assert_eq!(payload, serde_json::from_str::<Value>(CLAIMS).unwrap());
        let by_hand = bench.signed(&format!("{{{}}}", bench.members()));
        assert_eq!(bench.set.verify(&by_hand).unwrap(), CLAIMS.as_bytes());
    }
}

// A01
#[test]
fn no_spelling_of_alg_none_is_accepted() {
    for bench in &*BENCHES {
        let [_, payload, signature] = bench.parts();
        for alg in [r#""none""#, r#""None""#, r#""NONE""#, r#""nOnE""#, r#""""#, r#"" ""#, "null", "0", "[]", "{}"] {
            let header = encode(format!(r#"{{"kid":"{}","alg":{alg}}}"#, bench.kid));
            for signature in ["", signature, "AA"] {
                bench.refuses("alg none", &format!("{header}.{payload}.{signature}"));
            }
            bench.refuses("alg none", &format!("{header}.{payload}"));
        }
        let absent = encode(format!(r#"{{"kid":"{}"}}"#, bench.kid));
        bench.refuses("no alg", &format!("{absent}.{payload}."));
        bench.refuses("no alg", &format!("{absent}.{payload}.{signature}"));
        bench.refuses("no alg, signed", &bench.signed(&format!(r#"{{"kid":"{}"}}"#, bench.kid)));
    }
}

// A02
#[test]
fn a_missing_or_changed_signature_is_refused() {
    for bench in &*BENCHES {
        let [header, payload, signature] = bench.parts();
        let bytes = decode(signature).unwrap();
        let changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            format!("{header}.{payload}.{}", encode(bytes))
        };
        for (what, token) in [
            ("no signature", format!("{header}.{payload}")),
            ("an empty signature", format!("{header}.{payload}.")),
            ("a flipped first bit", changed(&|bytes| bytes[0] ^= 0x80)),
            ("a flipped last bit", changed(&|bytes| *bytes.last_mut().unwrap() ^= 1)),
            ("a shortened signature", changed(&|bytes| bytes.truncate(bytes.len() - 1))),
            ("a lengthened signature", changed(&|bytes| bytes.push(0))),
            ("a doubled signature", changed(&|bytes| bytes.extend(bytes.clone()))),
            ("a reversed signature", changed(&|bytes| bytes.reverse())),
            ("two signatures", format!("{header}.{payload}.{signature}.{signature}")),
        ] {
            bench.refuses(what, &token);
        }
    }
}

// A03
#[test]
fn an_edited_payload_is_refused() {
    for bench in &*BENCHES {
        let [header, _, signature] = bench.parts();
        for (from, to) in [("2f1c", "2f1d"), ("1790003600", "9790003600"), ("1790003600", "\"9\""), ("access", "id")] {
            bench.refuses(to, &format!("{header}.{}.{signature}", encode(CLAIMS.replace(from, to))));
        }
        bench.refuses("no payload", &format!("{header}..{signature}"));
    }
}

// A11
#[test]
fn the_json_forms_of_a_signature_are_refused() {
    for bench in &*BENCHES {
        let [protected, payload, signature] = bench.parts();
        let one = json!({ "protected": protected, "signature": signature });
        for form in [
            json!({ "payload": payload, "protected": protected, "signature": signature }),
            json!({ "payload": payload, "signatures": [one] }),
            json!({ "payload": payload, "signatures": [] }),
            json!({ "payload": payload }),
            json!(bench.genuine),
        ] {
            bench.refuses("a JSON form", &form.to_string());
        }
    }
}

// A12
#[test]
fn a_token_has_no_second_spelling() {
    for bench in &*BENCHES {
        let [header, payload, signature] = bench.parts();
        let genuine = &bench.genuine;
        for spelling in [
            format!("Bearer {genuine}"),
            format!(" {genuine}"),
            format!("{genuine} "),
            format!("{genuine}\n"),
            format!("{genuine}="),
            format!("{genuine}=="),
            format!("{genuine}\0"),
            format!("\u{feff}{genuine}"),
            format!(".{genuine}"),
            format!("{genuine}."),
            format!("{header}=.{payload}.{signature}"),
            format!("{header}.{payload}=.{signature}"),
            format!("{header}.{payload}==.{signature}"),
            format!("{header}.\n{payload}.{signature}"),
            format!("{header}.{payload}.{}\r\n{}", &signature[..8], &signature[8..]),
            format!("{header}%2E{payload}.{signature}"),
            format!("{}.{payload}.{signature}", low_bits(header)),
            format!("{header}.{}.{signature}", low_bits(payload)),
            format!("{header}.{payload}.{}", low_bits(signature)),
            genuine.to_uppercase(),
        ] {
            bench.refuses("a second spelling", &spelling);
        }
        let standard = genuine.replace('-', "+").replace('_', "/");
        assert_ne!(standard, *genuine, "the genuine token must show the difference");
        bench.refuses("the standard alphabet", &standard);
    }
}

/// The same bytes to a lax decoder: the last character with an unused bit set.
fn low_bits(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(part.len() % 4, 0, "a part without unused bits shows nothing");
    let (rest, last) = part.split_at(part.len() - 1);
    let index = ALPHABET.find(last).unwrap();
    format!("{rest}{}", &ALPHABET[index + 1..index + 2])
}

// A13
#[test]
fn empty_numbers_and_exchanged_algorithms_are_refused() {
    for bench in &*BENCHES {
        let [header, payload, signature] = bench.parts();
        for length in [0, 1, 32, 63, 64, 65, 255, 256, 257, 512] {
            for byte in [0, 0xff] {
                bench.refuses("one byte repeated", &format!("{header}.{payload}.{}", encode(vec![byte; length])));
            }
        }
        for alg in ["RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "rs256"]
        {
            if alg != bench.algorithm.as_str() {
                let other = format!(r#"{{"kid":"{}","alg":"{alg}"}}"#, bench.kid);
                bench.refuses(alg, &format!("{}.{payload}.{signature}", encode(&other)));
                bench.refuses(alg, &bench.signed(&other));
            }
        }
        for other in BENCHES.iter().filter(|other| other.algorithm != bench.algorithm) {
            bench.refuses("another pool's token", &other.genuine);
            bench.refuses("another key's signature", &format!("{header}.{payload}.{}", other.parts()[2]));
        }
    }
}

// A14
#[test]
fn tokens_made_to_cost_time_are_refused_at_once() {
    let jwe = encode(r#"{"alg":"PBES2-HS512+A256KW","enc":"A256GCM","p2c":2147483648,"p2s":"AAAA"}"#);
    let began = Instant::now();
    for bench in &*BENCHES {
        let deep = format!(r#"{{"kid":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        for (what, token) in [
            ("JWE", format!("{jwe}.AAAA.AAAA.AAAA.AAAA")),
            ("1 MB", "a".repeat(1 << 20)),
            ("1 MB payload", bench.genuine.replacen('.', &format!(".{}", "A".repeat(1 << 20)), 1)),
            ("60,000 dots", ".".repeat(60_000)),
            ("dots behind", format!("{}{}", bench.genuine, ".".repeat(10_000))),
            ("deep header", format!("{}.AAAA.AAAA", encode(deep))),
            ("nothing", String::new()),
            ("two dots", "..".to_owned()),
            ("letters of other scripts", "é.ü.字".to_owned()),
        ] {
            bench.refuses(what, &token);
            assert_eq!(KeySet::kid_of(&token).filter(|kid| *kid != bench.kid), None, "{what}");
        }
    }
    assert!(began.elapsed() < Duration::from_secs(1), "took {:?}", began.elapsed());
}
