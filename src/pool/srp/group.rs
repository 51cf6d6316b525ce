//! The group (RFC 5054, 3072 bits, g = 2), and how its numbers are read and written.

use std::sync::LazyLock;

use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams as _};
use crypto_bigint::{CtAssign as _, CtEq as _, CtLt as _, EncodedUint, U256, U3072, const_monty_params};
use zeroize::Zeroizing;

use crate::crypto;

/// Bytes of N.
pub(super) const BYTES: usize = 384;
/// Bits of every secret exponent: fixed, since it shows in the time a power takes.
const EXPONENT_BITS: u32 = U256::BITS;

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

/// A number of the group, in Montgomery's form.
pub(super) type Element = ConstMontyForm<Group, { U3072::LIMBS }>;

/// N.
pub(super) const MODULUS: EncodedUint<{ U3072::LIMBS }> = Group::PARAMS.modulus().as_ref().to_be_bytes();

/// k = H(PAD(N) | PAD(g)).
pub(super) static K: LazyLock<Element> = LazyLock::new(|| {
    let k = crypto::sha256([pad(MODULUS.as_ref()).as_slice(), &[2]].concat());
    Element::new(&U256::from_be_slice(&k).resize())
});

/// g^(digit · 16^place) by place and digit: a power of g is then 64 products and no squares.
static POWERS_OF_G: LazyLock<Vec<[Element; 16]>> = LazyLock::new(|| {
    let mut base = Element::new(&U3072::from_u8(2));
    let places = 0..EXPONENT_BITS / 4;
    places
        .map(|_| {
            let mut power = Element::ONE;
            let row = std::array::from_fn(|_| {
                let next = power.mul(&base);
                std::mem::replace(&mut power, next)
            });
            base = power;
            row
        })
        .collect()
});

/// g to the power of a secret: every entry of the table is touched, whatever the digits are.
pub(super) fn power_of_g(exponent: &[u8; 32]) -> Element {
    let digits = exponent.iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
    digits.zip(POWERS_OF_G.iter()).fold(Element::ONE, |product, (digit, powers)| {
        let mut factor = Element::ONE;
        for (index, power) in (0_u8..).zip(powers) {
            factor.ct_assign(power, index.ct_eq(&digit));
        }
        product.mul(&factor)
    })
}

/// A number of the group to the power of a secret, in a time that depends on neither.
pub(super) fn power(base: &Element, exponent: &[u8; 32]) -> Element {
    base.pow_amm_bounded_exp(&U256::from_be_slice(exponent).resize(), EXPONENT_BITS)
}

/// The number that `bytes` spell, if it is above 0 and below N. Leading zeros count for nothing.
pub(super) fn read(bytes: &[u8]) -> Option<U3072> {
    let digits = minimal(bytes);
    let mut whole = Zeroizing::new([0; BYTES]);
    let (_, low) = whole.split_at_mut_checked(BYTES.checked_sub(digits.len())?)?;
    low.copy_from_slice(digits);
    let number = U3072::from_be_slice(whole.as_slice());
    let below = number.ct_lt(Group::PARAMS.modulus().as_ref());
    (!digits.is_empty() && below.to_bool()).then_some(number)
}

/// The bytes without leading zeros.
pub(super) fn minimal(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// PAD: the fewest big-endian bytes that a signed reader takes for a positive number.
pub(super) fn pad(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let digits = minimal(bytes);
    let sign: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    Zeroizing::new([sign, digits].concat())
}

/// Hexadecimal digits without leading zeros: clients hash the salt as text or as a number, and agree only so.
pub(super) fn canonical_hex(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    let canonical = digits.trim_start_matches('0');
    if canonical.is_empty() { "0".to_owned() } else { canonical.to_owned() }
}

/// The bytes that hexadecimal digits spell, as many as there are.
pub(super) fn read_hex(digits: &str) -> Option<Vec<u8>> {
    let even = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    hex::decode(even).ok()
}
