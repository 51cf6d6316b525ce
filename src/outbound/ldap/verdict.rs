//! What the directory's result codes mean. Only codes go into a cause: the texts beside them may name people.

use ldap3::LdapResult;

use crate::error::Cause;

const SIZE_LIMIT_EXCEEDED: u32 = 4;
const REFERRAL: u32 = 10;
const CONSTRAINT_VIOLATION: u32 = 19;
const NO_SUCH_OBJECT: u32 = 32;
const INAPPROPRIATE_AUTHENTICATION: u32 = 48;
const INVALID_CREDENTIALS: u32 = 49;
const UNWILLING_TO_PERFORM: u32 = 53;

/// What a bind with a password came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The password is right.
    Right,
    /// It is wrong, or the account may not sign in.
    Wrong,
    /// It is right, and must be changed first.
    MustChange,
}

/// Reads the result of a bind; what says nothing about the password is a fault.
pub(super) fn of_bind(result: &LdapResult) -> Result<Verdict, Cause> {
    match result.rc {
        0 => Ok(Verdict::Right),
        INVALID_CREDENTIALS => match sub_code(&result.text) {
            // ERROR_PASSWORD_EXPIRED and ERROR_PASSWORD_MUST_CHANGE: told only to who knows the password.
            Some("532" | "773") => Ok(Verdict::MustChange),
            // ERROR_NO_LOGON_SERVERS and ERROR_NO_SUCH_DOMAIN: this server cannot judge now.
            Some("51f" | "54b") => Err("the directory cannot reach its domain".into()),
            // 525 no such user, 52e wrong, 530 and 531 not at this time and place, 533 disabled, 701 expired, 775 locked.
            Some(_) | None => Ok(Verdict::Wrong),
        },
        // How other directories refuse an account that is locked, inactive, gone, or has no password.
        CONSTRAINT_VIOLATION | NO_SUCH_OBJECT | INAPPROPRIATE_AUTHENTICATION | UNWILLING_TO_PERFORM => {
            Ok(Verdict::Wrong)
        }
        code => Err(fault(code)),
    }
}

/// Whether a search gave everything; an answer that is no result is a fault.
pub(super) fn is_complete(result: &LdapResult) -> Result<bool, Cause> {
    match result.rc {
        0 => Ok(true),
        SIZE_LIMIT_EXCEEDED => Ok(false),
        code => Err(fault(code)),
    }
}

/// Whether a search found no place to begin at.
pub(super) fn is_absent(result: &LdapResult) -> bool {
    result.rc == NO_SUCH_OBJECT
}

fn fault(code: u32) -> Cause {
    match code {
        REFERRAL => "the directory refers to another server; referrals are not followed".into(),
        NO_SUCH_OBJECT => "the directory has no ldap.base_dn".into(),
        code => format!("the directory answered with result code {code} (RFC 4511 appendix A)").into(),
    }
}

/// Active Directory's reason: `80090308: LdapErr: DSID-0C09041C, comment: …, data 52e, v4563`.
fn sub_code(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(" data ")?;
    rest.split(|character: char| !character.is_ascii_hexdigit()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(rc: u32, text: &str) -> LdapResult {
        LdapResult { rc, matched: String::new(), text: text.to_owned(), refs: Vec::new(), ctrls: Vec::new() }
    }

    #[test]
    fn active_directorys_reasons_are_told_apart_only_where_the_password_was_right() {
        let verdict = |code: &str| {
            let text =
                format!("80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data {code}, v4563\0");
            of_bind(&result(49, &text)).ok()
        };
        for wrong in ["525", "52e", "530", "531", "533", "701", "775", "0", ""] {
            assert_eq!(verdict(wrong), Some(Verdict::Wrong), "{wrong}");
        }
        for must_change in ["532", "773"] {
            assert_eq!(verdict(must_change), Some(Verdict::MustChange), "{must_change}");
        }
        for away in ["51f", "54b"] {
            assert_eq!(verdict(away), None, "{away}");
        }
    }

    #[test]
    fn what_says_nothing_about_the_password_is_no_wrong_password() {
        assert_eq!(of_bind(&result(49, "")).unwrap(), Verdict::Wrong);
        for code in [1, 2, 3, 7, 8, 10, 11, 13, 34, 50, 51, 52, 54, 80, 4096] {
            assert!(of_bind(&result(code, "data 52e")).is_err(), "{code}");
        }
        assert!(of_bind(&result(10, "")).unwrap_err().to_string().contains("not followed"));
    }
}
