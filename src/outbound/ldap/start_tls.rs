//! StartTLS (RFC 4511 §4.14) by hand: until TLS is up anybody on the way may answer, and the decoder for whole LDAP
//! messages has no limit on their size and depth.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::error::Cause;

/// Message 1: an extended request for 1.3.6.1.4.1.1466.20037.
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
const LONGEST_ANSWER: usize = 4096;

const INTEGER: u8 = 0x02;
const ENUMERATED: u8 = 0x0a;
const SEQUENCE: u8 = 0x30;
const EXTENDED_RESPONSE: u8 = 0x78;

/// Asks for TLS and reads the answer to its last byte and no further: what follows belongs to TLS.
pub(super) async fn start_tls(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), Cause> {
    stream.write_all(REQUEST).await?;
    let answer = read_message(stream).await?;
    if accepted(&answer) { Ok(()) } else { Err("the directory refuses StartTLS".into()) }
}

/// The content of the message.
async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, Cause> {
    let (tag, first) = (stream.read_u8().await?, stream.read_u8().await?);
    let mut length = usize::from(first);
    if first >= 0x80 {
        length = 0;
        for _ in 0x80..first {
            length = length.saturating_mul(256).saturating_add(usize::from(stream.read_u8().await?));
        }
    }
    if tag != SEQUENCE || length > LONGEST_ANSWER {
        return Err("the directory's answer to StartTLS makes no sense".into());
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await?;
    Ok(content)
}

/// Whether the message answers message 1 with success.
fn accepted(message: &[u8]) -> bool {
    let response = element(message, INTEGER).filter(|(id, _)| *id == [1]);
    let result = response.and_then(|(_, rest)| element(rest, EXTENDED_RESPONSE));
    let code = result.and_then(|(result, _)| element(result, ENUMERATED));
    code.is_some_and(|(code, _)| code == [0])
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
        length = digits.iter().try_fold(0_usize, |sum, digit| sum.checked_mul(256)?.checked_add((*digit).into()))?;
        rest = after;
    }
    rest.split_at_checked(length).filter(|_| tag == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_in_answer_to_our_request_is_accepted() {
        assert!(accepted(b"\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"));
        // Active Directory writes every length with four digits.
        assert!(accepted(b"\x02\x01\x01\x78\x84\x00\x00\x00\x07\x0a\x01\x00\x04\x00\x04\x00"));
        for refused in [
            b"\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00".as_slice(),
            b"\x02\x01\x01\x78\x07\x0a\x01\x0a\x04\x00\x04\x00",
            b"\x02\x01\x00\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00",
            b"\x02\x01\x01\x78\x07\x0a\x00\x04\x00\x04\x00",
            b"\x02\x01\x01\x78\xff",
            b"\x02\x01\x01\x78\x89\xff\xff\xff\xff\xff\xff\xff\xff\xff",
            b"\x02",
            b"",
        ] {
            assert!(!accepted(refused), "{refused:02x?}");
        }
    }

    #[tokio::test]
    async fn an_answer_is_read_to_its_end_and_no_further() {
        let mut stream = b"\x30\x81\x02\xaa\xbbrest".as_slice();
        assert_eq!(read_message(&mut stream).await.unwrap(), [0xaa, 0xbb]);
        assert_eq!(stream, b"rest");
        for nonsense in [b"\x30\x84\xff\xff\xff\xff".as_slice(), b"\x30\xff", b"HTTP/1.1 400", b"\x30\x05\x02"] {
            assert!(read_message(&mut { nonsense }).await.is_err(), "{nonsense:02x?}");
        }
    }
}
