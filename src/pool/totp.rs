//! Codes of an authenticator app: RFC 6238 with SHA-1, 30 seconds and 6 digits, which is all that apps agree on.

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::crypto::{self, Random};
use crate::error::Error;

const SECRET_BYTES: usize = 32;
const STEP_SECONDS: i64 = 30;
/// Steps that a phone's clock may be off, either way.
const DRIFT: i64 = 1;
const MODULUS: u32 = 1_000_000;

/// What an authenticator app and the server share. Not `Debug`, so that it cannot be logged.
pub struct TotpSecret(Zeroizing<Vec<u8>>);

/// What a code came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Right: its step must be kept, and no code of this step or one before is good any more.
    Right {
        /// Steps of 30 seconds since the Unix epoch.
        step: i64,
    },
    /// Right once, but its step has been accepted before.
    Used,
    /// Wrong.
    Wrong,
}

impl TotpSecret {
    /// A new one of 256 bits.
    pub fn new(random: &Random) -> Result<Self, Error> {
        let bytes = Zeroizing::new(random.bytes::<SECRET_BYTES>()?);
        Ok(Self::from_bytes(bytes.as_slice()))
    }

    /// What [`TotpSecret::as_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// For sealing.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `SecretCode`: base32 without padding, as apps take it.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }

    /// What `code` is worth now, when `last` is the step that was accepted last. All codes of the window are compared
    /// whole: the time tells neither which fits nor how much of it.
    pub fn check(&self, code: &str, now: Timestamp, last: Option<i64>) -> Code {
        let present = now.seconds().div_euclid(STEP_SECONDS);
        let mut verdict = Code::Wrong;
        for step in present.saturating_sub(DRIFT)..=present.saturating_add(DRIFT) {
            let fits = crypto::same(self.code(step).as_bytes(), code.as_bytes());
            let fresh = last.is_none_or(|last| step > last);
            verdict = match (fits, fresh, verdict) {
                (true, true, _) => Code::Right { step },
                (true, false, Code::Wrong) => Code::Used,
                (_, _, verdict) => verdict,
            };
        }
        verdict
    }

    /// The code of a step (RFC 4226 §5.3).
    fn code(&self, step: i64) -> Zeroizing<String> {
        let digest = crypto::hmac_sha1(&self.0, &step.to_be_bytes());
        let offset = digest.last().map_or(0, |byte| usize::from(byte & 15));
        let word = digest.get(offset..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        Zeroizing::new(format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % MODULUS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1: seconds, and the last six of the eight digits there.
    const VECTORS: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(b"12345678901234567890")
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1000)
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (seconds, code) in VECTORS {
            let step = seconds / 30;
            assert_eq!(secret().check(code, at(seconds), None), Code::Right { step }, "{seconds}");
        }
    }

    // K11: one step either way, and not two.
    #[test]
    fn a_clock_may_be_off_by_one_step() {
        let right = Code::Right { step: 1 };
        for seconds in [0, 29, 30, 59, 60, 89] {
            assert_eq!(secret().check("287082", at(seconds), None), right, "{seconds}");
        }
        for seconds in [-31, -1, 90, 119] {
            assert_eq!(secret().check("287082", at(seconds), None), Code::Wrong, "{seconds}");
        }
    }

    // K11: a code is good once, and after it no older one is.
    #[test]
    fn a_step_is_accepted_once() {
        let secret = secret();
        let codes: Vec<_> = (0..4).map(|step| secret.code(step)).collect();
        assert_eq!(secret.check(&codes[1], at(59), Some(0)), Code::Right { step: 1 });
        assert_eq!(secret.check(&codes[1], at(59), Some(1)), Code::Used);
        assert_eq!(secret.check(&codes[0], at(59), Some(1)), Code::Used);
        assert_eq!(secret.check(&codes[2], at(59), Some(1)), Code::Right { step: 2 });
        assert_eq!(secret.check(&codes[3], at(59), Some(1)), Code::Wrong);
    }

    #[test]
    fn anything_but_the_six_digits_is_wrong() {
        for code in ["", "28708", "2870820", "287 082", "+287082", "٢٨٧٠٨٢", "287083", "000000"] {
            assert_eq!(secret().check(code, at(59), None), Code::Wrong, "{code}");
        }
        for now in [i64::MIN, i64::MAX] {
            assert_eq!(secret().check("287082", Timestamp(now), None), Code::Wrong);
        }
    }

    #[test]
    fn a_new_secret_has_52_characters_that_apps_read() {
        let (one, other) = (TotpSecret::new(&Random::default()).unwrap(), TotpSecret::new(&Random::default()).unwrap());
        assert_eq!(one.text().len(), 52);
        assert!(one.text().bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'2'..=b'7')));
        assert_ne!(one.text(), other.text());
        assert_eq!(*TotpSecret::from_bytes(one.as_bytes()).text(), *one.text());
        assert_eq!(*secret().text(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }
}
