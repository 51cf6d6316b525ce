//! Headers that are not ours: under a genuine signature nothing but the header can be the reason to refuse.

use cognate::crypto::encode;
use cognate::keys::{KeySet, Signer};

use super::workshop::{BENCHES, CLAIMS, raw};

// A06: the signatures are genuine, only the kid is not.
#[test]
fn no_trick_with_the_kid_finds_a_key() {
    let long = format!("\"{}\"", "a".repeat(5_000));
    let thumbprint = format!("\"{}\"", encode([7; 32]));
    for bench in &*BENCHES {
        let upper = format!("\"{}\"", bench.kid.to_uppercase());
        let padded = format!("\"{}=\"", bench.kid);
        let tricks = [
            r#""../../dev/null""#,
            r#""/dev/null""#,
            r#""' OR '1'='1""#,
            r#""x' UNION SELECT 'key'--""#,
            r#""\u0000""#,
            r#""|/bin/true""#,
            r#""http://127.0.0.1/key""#,
            r#""""#,
            "null",
            "0",
            "true",
            "[]",
            "{}",
            &long,
            &thumbprint,
            &upper,
            &padded,
        ];
        for kid in tricks {
            let token = bench.signed(&format!(r#"{{"kid":{kid},"alg":"{}"}}"#, bench.algorithm));
            bench.refuses(kid, &token);
            if kid.len() != thumbprint.len() {
                assert_eq!(KeySet::kid_of(&token), None, "{kid} is not worth a look into the store");
            }
        }
        bench.refuses("no kid", &bench.signed(&format!(r#"{{"alg":"{}"}}"#, bench.algorithm)));
    }
}

// A07
#[test]
fn a_key_that_comes_with_the_token_is_not_used() {
    for bench in &*BENCHES {
        let pkcs8 = Signer::generate_pkcs8(bench.algorithm).unwrap();
        let own = Signer::from_pkcs8(bench.algorithm, &pkcs8).unwrap();
        let jwk = serde_json::to_string(own.public_jwk()).unwrap();
        for header in [
            format!(r#"{{"kid":"{}","alg":"{}"}}"#, own.kid(), bench.algorithm),
            format!("{{{}}}", bench.members()),
            format!(r#"{{{},"jwk":{jwk}}}"#, bench.members()),
            format!(r#"{{"alg":"{}","jwk":{jwk}}}"#, bench.algorithm),
            format!(r#"{{"kid":"{}","alg":"{}","jwk":{jwk}}}"#, own.kid(), bench.algorithm),
            format!(r#"{{{},"x5c":["MIIB"]}}"#, bench.members()),
        ] {
            let message = format!("{}.{}", encode(&header), encode(CLAIMS));
            let signature = encode(raw(bench.algorithm, &pkcs8, message.as_bytes()));
            bench.refuses(&header, &format!("{message}.{signature}"));
        }
    }
}

// A08 and the header members of S15: a genuine signature does not excuse any other member, known or not.
#[test]
fn a_header_with_any_other_member_is_refused() {
    for bench in &*BENCHES {
        for member in [
            r#""jku":"http://127.0.0.1:9/jwks.json""#,
            r#""x5u":"http://127.0.0.1:9/cert""#,
            r#""x5t":"AAAA""#,
            r#""typ":"JWT""#,
            r#""typ":"at+jwt""#,
            r#""cty":"JWT""#,
            r#""crit":["exp"],"exp":1"#,
            r#""crit":[]"#,
            r#""b64":false,"crit":["b64"]"#,
            r#""zip":"DEF""#,
            r#""alg":"none""#,
            r#""kid":"other""#,
        ] {
            bench.refuses(member, &bench.signed(&format!("{{{},{member}}}", bench.members())));
            bench.refuses(member, &bench.signed(&format!("{{{member},{}}}", bench.members())));
        }
    }
}

// A12: the header too has one spelling, also under a genuine signature.
#[test]
fn a_header_has_no_second_spelling() {
    for bench in &*BENCHES {
        let (kid, alg) = (&bench.kid, bench.algorithm);
        for header in [
            format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#),
            format!(r#"{{ "kid":"{kid}","alg":"{alg}"}}"#),
            format!(r#"{{"kid":"{kid}","alg":"{alg}"}} "#),
            format!(r#"{{"kid":"{kid}","alg":"{alg}","alg":"{alg}"}}"#),
            format!(r#"{{"\u006bid":"{kid}","alg":"{alg}"}}"#),
            format!(r#"["{kid}","{alg}"]"#),
            format!("\u{feff}{{\"kid\":\"{kid}\",\"alg\":\"{alg}\"}}"),
        ] {
            bench.refuses(&header, &bench.signed(&header));
        }
    }
}
