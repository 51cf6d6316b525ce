//! SRP as Cognito's clients speak it, apart from the server's own code but for the group's numbers.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognate::crypto::{hmac_sha256, sha256};
use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams as _};
use crypto_bigint::{U256, U3072, const_monty_params};
use serde_json::{Value, json};

const_monty_params!(
    Group,
    U3072,
    "\
     FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD\
     EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F\
     83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B\
     E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510\
     15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7\
     ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C\
     BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF\
     ",
    "The integers modulo N."
);

type Element = ConstMontyForm<Group, { U3072::LIMBS }>;

/// N in hexadecimal.
pub static MODULUS: LazyLock<String> = LazyLock::new(|| hex::encode(Group::PARAMS.modulus().as_ref().to_be_bytes()));

fn power(base: &Element, exponent: &[u8; 32]) -> Element {
    base.pow_amm_bounded_exp(&U256::from_be_slice(exponent).resize(), 256)
}

fn g(exponent: &[u8; 32]) -> Element {
    power(&Element::new(&U3072::from_u8(2)), exponent)
}

fn number(digits: &str) -> U3072 {
    U3072::from_be_slice(&hex::decode(format!("{digits:0>768}")).unwrap())
}

/// The fewest bytes of a positive number.
fn pad(bytes: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    if digits.first().is_none_or(|first| *first >= 0x80) { [&[0], digits.as_slice()].concat() } else { digits }
}

fn padded(number: &U3072) -> Vec<u8> {
    pad(number.to_be_bytes().as_ref())
}

/// DeviceSecretVerifierConfig of a device with these keys and this secret.
pub fn device_verifier([key, group, secret]: [&str; 3]) -> Value {
    let salt = [0xf0; 16];
    let x = sha256([pad(&salt), sha256(format!("{group}{key}:{secret}")).to_vec()].concat());
    json!({ "Salt": STANDARD.encode(pad(&salt)), "PasswordVerifier": STANDARD.encode(padded(&g(&x).retrieve())) })
}

pub struct SrpClient([u8; 32]);

impl SrpClient {
    /// With a secret number of its own.
    pub fn new(secret: u8) -> Self {
        Self([secret; 32])
    }

    pub fn srp_a(&self) -> String {
        hex::encode(g(&self.0).retrieve().to_be_bytes()).trim_start_matches('0').to_owned()
    }

    /// ChallengeResponses to PASSWORD_VERIFIER.
    pub fn answer(&self, pool: &str, parameters: &Value, password: &str, timestamp: &str) -> Value {
        let user = parameters["USER_ID_FOR_SRP"].as_str().unwrap_or_else(|| panic!("no user in {parameters}"));
        self.prove(pool.split_once('_').unwrap().1, user, parameters, password, timestamp)
    }

    /// ChallengeResponses to DEVICE_PASSWORD_VERIFIER, of a device with these keys and this secret.
    pub fn answer_of(&self, [key, group, secret]: [&str; 3], parameters: &Value, timestamp: &str) -> Value {
        let mut responses = self.prove(group, key, parameters, secret, timestamp);
        responses["USERNAME"] = parameters["USERNAME"].clone();
        responses["DEVICE_KEY"] = json!(key);
        responses
    }

    fn prove(&self, pool: &str, user: &str, parameters: &Value, password: &str, timestamp: &str) -> Value {
        let told = |name: &str| parameters[name].as_str().unwrap_or_else(|| panic!("no {name} in {parameters}"));
        let (salt, block) = (number(told("SALT")), told("SECRET_BLOCK"));
        let (a, b) = (g(&self.0).retrieve(), number(told("SRP_B")));
        let x = sha256([padded(&salt), sha256(format!("{pool}{user}:{password}")).to_vec()].concat());
        let u = sha256([padded(&a), padded(&b)].concat());
        let k = sha256([padded(Group::PARAMS.modulus().as_ref()), vec![2]].concat());
        let k = Element::new(&U256::from_be_slice(&k).resize());
        let base = Element::new(&b).sub(&k.mul(&g(&x)));
        let secret = power(&base, &self.0).mul(&power(&power(&base, &u), &x)).retrieve();
        let prk = hmac_sha256(&pad(&u), &[&padded(&secret)]);
        let key = hmac_sha256(&prk, &[b"Caldera Derived Key", &[1]]);
        let opened = STANDARD.decode(block).unwrap();
        let signed = [pool.as_bytes(), user.as_bytes(), &opened, timestamp.as_bytes()];
        json!({
            "USERNAME": user,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": STANDARD.encode(hmac_sha256(&key[..16], &signed)),
            "TIMESTAMP": timestamp,
        })
    }
}
