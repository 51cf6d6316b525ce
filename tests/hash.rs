//! Password hashes: those other software made are verified here, nothing but the whole password matches, a hostile
//! one is refused, and a burst is told to come back.

use std::sync::Arc;
use std::time::Duration;

use cognate::config;
use cognate::error::Error;
use cognate::pool::hash::{Hasher, PasswordCheck, accepts};

/// Cheap, so that many run; the defaults are tested once.
fn cheap() -> config::Password {
    config::Password { memory_kib: 64, iterations: 1, queue_wait: config::Period::seconds(60), ..Default::default() }
}

async fn check(password: &str, stored: &str) -> PasswordCheck {
    Hasher::new(&cheap()).unwrap().verify(password, Some(stored)).await.unwrap()
}

/// Made by argon2-cffi 25.1, bcrypt 4.0, passlib 1.7, Django 5.2 and hashlib of Python 3.11 from this password.
pub const PASSWORD: &str = "Grüße, 世界 12";
pub const IMPORTED: [&str; 14] = [
    "$argon2id$v=19$m=19456,t=2,p=1$5Zfbo+clbMTfldxiO+TpGg$pW03DxVLLAnJyq8QKJgcf+effxUbaEWVDcmHI43jiUw",
    "$argon2id$v=19$m=1024,t=3,p=4$nb8gBLlA/CHN3+rbWDppoA$tuxdFUGKBrUfWVaNnG3OiIvZ8sNHlu5dDE4vP4cI7Jg",
    "$argon2i$v=19$m=1024,t=3,p=4$8JG9XvEE2Sp/0AYM7ppPWA$+z+zvNA8KgGEDqHL6xTAYq7nloiCEsymzgOSIDxls7Y",
    "$argon2d$v=19$m=1024,t=3,p=4$7GuZk0wD5RAbfmsqfDRz1Q$emlzFq/X8TF7g9/Oz7KcTdhTAzzu9N7XUMbx8ThfuPA",
    "$argon2i$v=16$m=256,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$AQa1qMnRCy+SQ46S+MPG6oSbXbWHymTuY3g2kGQSN0A",
    "$2a$05$YUb/y5WuBDG85KKB2t5QDe6.zrhMi5fuJljV/ehPCWqfcGdMfJcWy",
    "$2b$05$xBM2Z2M11PyK9J/Q8PGTFeEoW7DvPeziYURO3m9v59tvVaqqzXffq",
    "$2y$05$Q5lLGXngdnjOPoF3diZeTudO.Z6AmFmSzfhCewFCX.SPsimqFgIui",
    "$scrypt$ln=10,r=8,p=1$mLMWwjinNGasNWbsXWtNSQ$0GdOUNsLZeBGXrW+1s/y91B73YAoAH0nQ+jS1qPgZdc",
    "$scrypt$ln=12,r=8,p=2$cGhjc2FsdHBoY3NhbHQxMg$HiHZIuM3UATwCurkJWsWRtWPrtBA8vVS4ml131ou/Vs",
    "$pbkdf2-sha256$12000$jhFiLAVgTAmhFIKwNmZMKQ$bX4wsq3TTv2GLA/KKnb0jfPSXxbXqGsQIsEc73e5DD0",
    "$pbkdf2-sha256$1200$kBLCuFfqnfN.rw$aApPeGnKSoSj3iiHIMJ0d6w0jar8zFVWhnlyDBkS744",
    "$pbkdf2-sha256$i=5000,l=32$cGhjc2FsdHBoY3NhbHQxMg$pbpo4g4ctEqnYC06wYhfXKcZPIB2YWlCmY02U2ziUts",
    "pbkdf2_sha256$20000$saltSALT0123456789abcd$KTdk7j0bEZP527hw6/Fq0t7n3FUxeWcl0fJ3kUk/y70=",
];

#[tokio::test]
async fn hashes_of_other_software_are_verified_and_due_for_an_upgrade() {
    for stored in IMPORTED {
        assert_eq!(accepts(stored), Ok(()), "{stored}");
        assert_eq!(check(PASSWORD, stored).await, PasswordCheck::RightButOutdated, "{stored}");
        for wrong in
            ["", "Grüße, 世界 1", "Grüße, 世界 12 ", "grüße, 世界 12", "Gru\u{308}ße, 世界 12", "Grüße, 世界 12\0"]
        {
            assert_eq!(check(wrong, stored).await, PasswordCheck::Wrong, "{stored} {wrong:?}");
        }
    }
}

#[tokio::test]
async fn our_own_hash_is_owasps_argon2id_and_right_until_the_setting_changes() {
    // S20
    let hasher =
        Hasher::new(&config::Password { queue_wait: config::Period::seconds(60), ..Default::default() }).unwrap();
    let stored = hasher.hash(PASSWORD).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert_eq!(stored.split('$').nth(4).unwrap().len(), 22, "a salt of 16 bytes");
    assert_ne!(hasher.hash(PASSWORD).await.unwrap(), stored, "a new salt every time");
    assert_eq!(hasher.verify(PASSWORD, Some(&stored)).await.unwrap(), PasswordCheck::Right);
    assert_eq!(hasher.verify("other", Some(&stored)).await.unwrap(), PasswordCheck::Wrong);
    assert_eq!(check(PASSWORD, &stored).await, PasswordCheck::RightButOutdated);
}

#[tokio::test]
async fn an_unknown_user_is_wrong_whatever_the_password() {
    // D01
    let hasher = Hasher::new(&cheap()).unwrap();
    for password in ["", "x", PASSWORD] {
        assert_eq!(hasher.verify(password, None).await.unwrap(), PasswordCheck::Wrong);
    }
}

#[tokio::test]
async fn nothing_but_the_whole_password_matches() {
    // D13, CVE-2025-22228: bcrypt sees 72 bytes, and HMAC and bcrypt take `secret` and `secret\0` for the same key.
    let truncated = "$2b$04$y8WrLb00z4HUrPvPLesRLumUNK6vhcu//R/XAaEqZi76pKhPOCLE.";
    let seen = "x".repeat(72);
    assert_eq!(check(&seen, truncated).await, PasswordCheck::RightButOutdated);
    for longer in [format!("{seen}tail"), format!("{seen}x"), format!("{seen}\0")] {
        assert_eq!(check(&longer, truncated).await, PasswordCheck::Wrong);
    }
    for stored in [
        "$2b$04$TQQo5UTWh76ggP1P1doQRu0yjfvMcCT9RFLD6G27dp5dn8mkSXTey",
        "$pbkdf2-sha256$1000$YQxhDCHkHEPIWYtxjpHSGg$77f3RPN35wGeFyllC5PDw9OgFjW8Z49OZt0WIWRjiFA",
        "$scrypt$ln=4,r=8,p=1$8L53LqX0fm9N6Z0TopSScg$F+v3n85HBOHvRXP5qi+thomWDZ6Z+PcNf9XVTEYl0jg",
    ] {
        assert_eq!(check("secret", stored).await, PasswordCheck::RightButOutdated);
        for other in ["secret\0", "secret\0\0", "secret\0secret", "secret\0secret\0secret"] {
            assert_eq!(check(other, stored).await, PasswordCheck::Wrong, "{stored} {other:?}");
        }
    }
    let hasher = Hasher::new(&cheap()).unwrap();
    let long = "y".repeat(97);
    let stored = hasher.hash(&long).await.unwrap();
    assert_eq!(hasher.verify(&long, Some(&stored)).await.unwrap(), PasswordCheck::Right);
    for other in ["y".repeat(96), "y".repeat(98), format!("{long}\0"), long.to_uppercase(), format!(" {long}")] {
        assert_eq!(hasher.verify(&other, Some(&stored)).await.unwrap(), PasswordCheck::Wrong);
    }
}

#[test]
fn a_hostile_or_odd_hash_is_refused_without_a_panic() {
    for (stored, reason) in [
        (
            "$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$AQa1qMnRCy+SQ46S+MPG6oSbXbWHymTuY3g2kGQSN0A",
            "too expensive",
        ),
        (
            "$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQxMjM0NTY3OA$AQa1qMnRCy+SQ46S+MPG6oSbXbWHymTuY3g2kGQSN0A",
            "too expensive",
        ),
        (
            "$argon2id$v=19$m=8,t=1,p=16777215$c29tZXNhbHQxMjM0NTY3OA$AQa1qMnRCy+SQ46S+MPG6oSbXbWHymTuY3g2kGQSN0A",
            "parameters",
        ),
        (
            "$argon2id$v=19$m=64,t=1,p=1,keyid=Zm9v$c29tZXNhbHQxMjM0NTY3OA$AQa1qMnRCy+SQ46S+MPG6oSbXbWHymTuY3g2kGQSN0A",
            "key",
        ),
        ("$argon2id$v=18$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$AQa1qMnRCy+SQ46S+MPG6oSbXbWHymTuY3g2kGQSN0A", "version"),
        ("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA$AQa1qMnRCy+SQ46S", "digest"),
        ("$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQxMjM0NTY3OA", "digest"),
        ("$argon2id", ""),
        ("$2b$31$xBM2Z2M11PyK9J/Q8PGTFeEoW7DvPeziYURO3m9v59tvVaqqzXffq", "cost"),
        ("$2b$99$xBM2Z2M11PyK9J/Q8PGTFeEoW7DvPeziYURO3m9v59tvVaqqzXffq", "cost"),
        ("$2b$05$xBM2Z2M11PyK9J/Q8PGTFeEoW7DvPeziYURO3m9v59tvVaqqzXfé", ""),
        ("$2x$05$xBM2Z2M11PyK9J/Q8PGTFeEoW7DvPeziYURO3m9v59tvVaqqzXffq", "is not Argon2"),
        ("$2b$05$", ""),
        ("$scrypt$ln=63,r=8,p=1$cGhjc2FsdHBoY3NhbHQxMg$HiHZIuM3UATwCurkJWsWRtWPrtBA8vVS4ml131ou/Vs", "ln"),
        ("$scrypt$ln=20,r=8,p=1$cGhjc2FsdHBoY3NhbHQxMg$HiHZIuM3UATwCurkJWsWRtWPrtBA8vVS4ml131ou/Vs", "too expensive"),
        (
            "$scrypt$ln=1,r=4294967295,p=1$cGhjc2FsdHBoY3NhbHQxMg$HiHZIuM3UATwCurkJWsWRtWPrtBA8vVS4ml131ou/Vs",
            "too expensive",
        ),
        (
            "$scrypt$ln=1,r=1,p=536870911$cGhjc2FsdHBoY3NhbHQxMg$HiHZIuM3UATwCurkJWsWRtWPrtBA8vVS4ml131ou/Vs",
            "p above 64",
        ),
        ("$scrypt$ln=4,r=0,p=0$cGhjc2FsdHBoY3NhbHQxMg$HiHZIuM3UATwCurkJWsWRtWPrtBA8vVS4ml131ou/Vs", ""),
        (
            "$scrypt$r=8,p=1$cGhjc2FsdHBoY3NhbHQxMg$HiHZIuM3UATwCurkJWsWRtWPrtBA8vVS4ml131ou/Vs",
            "lacks the parameter ln",
        ),
        ("$pbkdf2-sha256$4294967295$YQxhDCHkHEPIWYtxjpHSGg$77f3RPN35wGeFyllC5PDw9OgFjW8Z49OZt0WIWRjiFA", "iterations"),
        ("$pbkdf2-sha256$0$YQxhDCHkHEPIWYtxjpHSGg$77f3RPN35wGeFyllC5PDw9OgFjW8Z49OZt0WIWRjiFA", "iterations"),
        ("$pbkdf2-sha256$i=,l=32$YQxhDCHkHEPIWYtxjpHSGg$77f3RPN35wGeFyllC5PDw9OgFjW8Z49OZt0WIWRjiFA", "iterations"),
        ("pbkdf2_sha256$1000$salt$", "digest"),
        ("pbkdf2_sha256$1000$salt$~~~~", "base64"),
        ("", "is not Argon2"),
        ("$", "is not Argon2"),
        ("hunter2", "is not Argon2"),
        ("5f4dcc3b5aa765d61d8327deb882cf99", "is not Argon2"),
    ] {
        let refusal = accepts(stored).expect_err(stored);
        assert!(refusal.contains(reason), "{stored}: {refusal}");
    }
    assert!(accepts(&format!("$argon2id${}", "x".repeat(1_000_000))).unwrap_err().contains("longer"));
}

#[tokio::test]
async fn an_unreadable_stored_hash_is_our_fault_and_never_a_match() {
    let hasher = Hasher::new(&cheap()).unwrap();
    for stored in ["", "secret", "$2b$05$short"] {
        let error = hasher.verify("secret", Some(stored)).await.unwrap_err();
        assert!(matches!(error, Error::Internal(_)), "{error}");
    }
}

#[tokio::test]
async fn a_password_is_compared_with_many_hashes_in_one_turn() {
    let one = config::Password { threads: 1, queue_wait: config::Period::milliseconds(1), ..cheap() };
    let hasher = Arc::new(Hasher::new(&one).unwrap());
    let stored: Vec<String> = IMPORTED.map(str::to_owned).into();
    assert!(!hasher.is_any("another", &stored).await.unwrap());
    assert!(hasher.is_any(PASSWORD, &stored[13..]).await.unwrap());
    assert!(!hasher.is_any(PASSWORD, &[]).await.unwrap());
    let unreadable = hasher.is_any(PASSWORD, &["".to_owned()]).await;
    assert!(matches!(unreadable, Err(Error::Internal(_))), "{unreadable:?}");
    // R29: it waits like everybody, and no longer.
    let both = tokio::join!(hasher.is_any("another", &stored), hasher.is_any("another", &stored));
    assert!(matches!(both, (Ok(false), Err(Error::Unavailable { .. }))), "{both:?}");
}

#[tokio::test]
async fn a_burst_waits_a_bounded_time_and_is_then_told_to_come_back() {
    // R29
    let slow = config::Password {
        memory_kib: 65_536,
        iterations: 32,
        threads: 1,
        queue_wait: config::Period::milliseconds(50),
        ..Default::default()
    };
    let hasher = Arc::new(Hasher::new(&slow).unwrap());
    let burst: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn({
                let hasher = Arc::clone(&hasher);
                async move { hasher.verify("x", None).await }
            })
        })
        .collect();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hasher.waiting(), 4, "one has the turn, four wait");
    let mut answers = Vec::new();
    for call in burst {
        answers.push(call.await.unwrap());
    }
    let refused = answers.iter().filter(|answer| {
        matches!(answer, Err(Error::Unavailable { retry_after, .. }) if *retry_after == Duration::from_secs(1))
    });
    assert_eq!(refused.count(), 4);
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert_eq!(hasher.waiting(), 0);
}

#[tokio::test]
async fn who_would_wait_in_vain_is_told_so_at_the_door() {
    // R29
    let slow = config::Password {
        memory_kib: 65_536,
        iterations: 8,
        threads: 1,
        queue_wait: config::Period::milliseconds(1),
        ..Default::default()
    };
    let hasher = Arc::new(Hasher::new(&slow).unwrap());
    hasher.room().unwrap();
    hasher.verify("x", None).await.unwrap();
    hasher.room().expect("one takes longer than anybody may wait, but nobody waits");
    let burst: Vec<_> = (0..2)
        .map(|_| {
            let hasher = Arc::clone(&hasher);
            tokio::spawn(async move { hasher.verify("x", None).await })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(hasher.waiting(), 1);
    assert!(matches!(hasher.room(), Err(Error::Unavailable { .. })));
    for call in burst {
        let _ = call.await.unwrap();
    }
    hasher.room().expect("they are gone");
}

#[tokio::test]
async fn a_caller_who_goes_away_does_not_free_a_busy_core() {
    let slow = config::Password {
        memory_kib: 65_536,
        iterations: 32,
        threads: 1,
        queue_wait: config::Period::milliseconds(50),
        ..Default::default()
    };
    let hasher = Hasher::new(&slow).unwrap();
    let gone = tokio::time::timeout(Duration::from_millis(20), hasher.verify("x", None)).await;
    assert!(gone.is_err(), "the caller gave up");
    assert!(matches!(hasher.verify("x", None).await, Err(Error::Unavailable { .. })), "its hash still runs");
}
