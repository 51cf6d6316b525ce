//! What one core can do at most: bare signatures of each algorithm with keys parsed once, a bare signature check,
//! a bare password hash and a power of SRP's group, each by the processor time it takes, so that a shared machine does not blur it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use argon2::Argon2;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};

use crate::srp_client;

const MEASURE_FOR: Duration = Duration::from_millis(600);
/// The size of an access token's signed part.
const MESSAGE: [u8; 800] = [b'x'; 800];

/// Prints each limit as operations in a second of processor time.
pub fn print() {
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let ecdsa = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let mut signature = vec![0; rsa.public_modulus_len()];
    let rs256 = rate(|| rsa.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature).unwrap());
    let es256 = rate(|| ecdsa.sign(&random, &MESSAGE).unwrap());
    let eddsa = rate(|| ed25519.sign(&MESSAGE));
    let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, rsa.public_key()).unwrap();
    let verify = rate(|| public.verify_sig(&MESSAGE, &signature).unwrap());
    let hash = rate(|| Argon2::default().hash_password_into(b"correct horse battery", &[7; 16], &mut [0; 32]).unwrap());
    let power = rate(|| srp_client::g(&[7; 32]));
    let limits = serde_json::json!({
        "RS256": rs256, "ES256": es256, "EdDSA": eddsa, "RS256 verify": verify, "Argon2id": hash, "SRP power": power,
    });
    println!("{limits}");
}

fn rate<T>(mut work: impl FnMut() -> T) -> f64 {
    let (began, used) = (Instant::now(), processor_time());
    let mut count = 0_u32;
    while began.elapsed() < MEASURE_FOR {
        black_box(work());
        count += 1;
    }
    f64::from(count) / (processor_time() - used).as_secs_f64()
}

fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}
