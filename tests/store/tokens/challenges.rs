//! Challenges and codes: counted before compared, consumed once, never mixed.

use cognate::store::tokens::{Answer, Challenge, ChallengeKey, Purpose};

use super::{Store, at, uuid};

const RIGHT: [u8; 32] = [7; 32];
const WRONG: [u8; 32] = [8; 32];

pub fn key() -> ChallengeKey {
    ChallengeKey {
        pool: "eu-west-1_Conform01".to_owned(),
        purpose: Purpose::ResetPassword,
        subject: uuid().to_string(),
    }
}

/// A challenge with five attempts that lives for a minute.
pub fn challenge() -> Challenge {
    Challenge {
        client: "1h57kf5cpq17m0eml12EXAMPLE".to_owned(),
        user: uuid(),
        user_version: 12,
        expires_at: at(60_000),
        attempts_left: 5,
        answer: Some(RIGHT),
        payload: None,
    }
}

/// `challenge` with `attempts_left` attempts.
fn left(challenge: &Challenge, attempts_left: u32) -> Challenge {
    Challenge { attempts_left, ..challenge.clone() }
}

async fn put(store: &Store, change: impl FnOnce(&mut Challenge)) -> (ChallengeKey, Challenge) {
    let (key, mut challenge) = (key(), challenge());
    change(&mut challenge);
    store.put_challenge(&key, &challenge).await.unwrap();
    (key, challenge)
}

pub async fn a_challenge_is_answered_once(store: Store) {
    let (key, challenge) = put(&store, |_| ()).await;
    let answer = store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap();
    assert_eq!(answer, Answer::Right(left(&challenge, 4)));
    assert_eq!(store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap(), Answer::Unknown);
}

pub async fn a_wrong_answer_leaves_the_challenge_alive_until_the_last(store: Store) {
    let (key, challenge) = put(&store, |_| ()).await;
    for _ in 0..2 {
        assert_eq!(store.answer_challenge(&key, &WRONG, at(0)).await.unwrap(), Answer::Wrong);
    }
    let answer = store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap();
    assert_eq!(answer, Answer::Right(left(&challenge, 2)));

    let (key, _) = put(&store, |_| ()).await;
    for _ in 0..5 {
        assert_eq!(store.answer_challenge(&key, &WRONG, at(0)).await.unwrap(), Answer::Wrong);
    }
    // The last wrong one ends it for every verb.
    assert!(!store.consume_challenge(&key, at(0)).await.unwrap());
    assert_eq!(store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap(), Answer::Unknown);
}

pub async fn the_last_attempt_may_be_right(store: Store) {
    let (key, challenge) = put(&store, |challenge| challenge.attempts_left = 1).await;
    let answer = store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap();
    assert_eq!(answer, Answer::Right(left(&challenge, 0)));
}

pub async fn a_new_challenge_replaces_the_old_one(store: Store) {
    let (key, old) = put(&store, |challenge| challenge.attempts_left = 1).await;
    let new = Challenge { answer: Some(WRONG), attempts_left: 3, user_version: 13, ..old };
    store.put_challenge(&key, &new).await.unwrap();
    assert_eq!(store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap(), Answer::Wrong);
    let answer = store.answer_challenge(&key, &WRONG, at(0)).await.unwrap();
    assert_eq!(answer, Answer::Right(left(&new, 1)));

    // Nothing of the old one shines through a new one with fewer parts.
    let (key, old) = put(&store, |_| ()).await;
    let new = Challenge { answer: None, ..old };
    store.put_challenge(&key, &new).await.unwrap();
    assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), Some(left(&new, 4)));
    assert_eq!(store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap(), Answer::Wrong);
}

pub async fn a_challenge_is_gone_at_its_expiry(store: Store) {
    let (key, _) = put(&store, |_| ()).await;
    assert_eq!(store.answer_challenge(&key, &WRONG, at(59_999)).await.unwrap(), Answer::Wrong);
    assert_eq!(store.answer_challenge(&key, &RIGHT, at(60_000)).await.unwrap(), Answer::Unknown);
    let (key, _) = put(&store, |_| ()).await;
    assert!(store.attempt_challenge(&key, at(59_999)).await.unwrap().is_some());
    assert_eq!(store.attempt_challenge(&key, at(60_000)).await.unwrap(), None);
}

// P07
pub async fn purposes_never_mix(store: Store) {
    let (key, challenge) = put(&store, |_| ()).await;
    let other = ChallengeKey { purpose: Purpose::NewPassword, ..key.clone() };
    assert_eq!(store.answer_challenge(&other, &RIGHT, at(0)).await.unwrap(), Answer::Unknown);
    assert_eq!(store.attempt_challenge(&other, at(0)).await.unwrap(), None);
    assert!(!store.consume_challenge(&other, at(0)).await.unwrap());
    let answer = store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap();
    assert_eq!(answer, Answer::Right(left(&challenge, 4)));
}

pub async fn pools_and_subjects_never_mix(store: Store) {
    let (key, _) = put(&store, |_| ()).await;
    let elsewhere = ChallengeKey { pool: "eu-west-1_Conform02".to_owned(), ..key.clone() };
    assert!(!store.consume_challenge(&elsewhere, at(0)).await.unwrap());
    let shifted = ChallengeKey {
        pool: format!("{}:{}", key.pool, &key.subject[..4]),
        subject: key.subject[4..].to_owned(),
        ..key.clone()
    };
    assert!(!store.consume_challenge(&shifted, at(0)).await.unwrap());
    assert!(store.consume_challenge(&key, at(0)).await.unwrap());
}

pub async fn an_attempt_is_counted_and_shows_the_challenge(store: Store) {
    let (key, challenge) = put(&store, |challenge| challenge.attempts_left = 2).await;
    assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), Some(left(&challenge, 1)));
    assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), Some(left(&challenge, 0)));
    assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), None);
    // Used up means deleted.
    assert!(!store.consume_challenge(&key, at(0)).await.unwrap());
}

pub async fn the_last_attempt_can_still_be_consumed(store: Store) {
    let (key, _) = put(&store, |challenge| challenge.attempts_left = 1).await;
    assert!(store.attempt_challenge(&key, at(0)).await.unwrap().is_some());
    assert!(store.consume_challenge(&key, at(0)).await.unwrap());
    assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), None);
}

pub async fn attempts_and_answers_share_one_count(store: Store) {
    let (key, _) = put(&store, |challenge| challenge.attempts_left = 2).await;
    assert!(store.attempt_challenge(&key, at(0)).await.unwrap().is_some());
    assert!(store.attempt_challenge(&key, at(0)).await.unwrap().is_some());
    assert_eq!(store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap(), Answer::Unknown);
}

pub async fn a_challenge_without_stored_answer_is_never_right(store: Store) {
    let (key, challenge) = put(&store, |challenge| challenge.answer = None).await;
    assert_eq!(store.answer_challenge(&key, &[0; 32], at(0)).await.unwrap(), Answer::Wrong);
    assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), Some(left(&challenge, 3)));
}

pub async fn a_payload_is_kept_and_comes_with_every_answer(store: Store) {
    let (key, challenge) = put(&store, |challenge| {
        challenge.payload = Some("sealed \"text\" with ünïcode and \r\n".to_owned());
        challenge.attempts_left = u32::MAX;
    })
    .await;
    let shown = store.attempt_challenge(&key, at(0)).await.unwrap();
    assert_eq!(shown, Some(left(&challenge, u32::MAX - 1)));
    let answer = store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap();
    assert_eq!(answer, Answer::Right(left(&challenge, u32::MAX - 2)));

    // With and without an answer beside it, and empty is not absent.
    for (answer, payload) in [(None, Some("alone")), (None, Some("")), (Some(RIGHT), Some("")), (None, None)] {
        let (key, challenge) = put(&store, |challenge| {
            challenge.answer = answer;
            challenge.payload = payload.map(str::to_owned);
        })
        .await;
        assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), Some(left(&challenge, 4)));
    }
}

pub async fn the_payload_of_an_old_challenge_does_not_shine_through_a_new_one(store: Store) {
    let (key, old) = put(&store, |challenge| challenge.payload = Some("old".to_owned())).await;
    for payload in [Some("new".to_owned()), None] {
        let new = Challenge { payload, ..old.clone() };
        store.put_challenge(&key, &new).await.unwrap();
        assert_eq!(store.attempt_challenge(&key, at(0)).await.unwrap(), Some(left(&new, 4)));
    }
}

// P07
pub async fn every_purpose_is_its_own(store: Store) {
    let all = [
        Purpose::NewPassword,
        Purpose::ResetPassword,
        Purpose::ResetLink,
        Purpose::VerifyEmail,
        Purpose::ChangeEmail,
        Purpose::Invitation,
        Purpose::Srp,
        Purpose::SoftwareToken,
        Purpose::MfaSetup,
        Purpose::MfaReady,
        Purpose::SignUpCode,
        Purpose::AddressCode,
    ];
    let (key, challenge) = (key(), challenge());
    for purpose in all {
        let key = ChallengeKey { purpose, ..key.clone() };
        store
            .put_challenge(&key, &Challenge { client: purpose.as_str().to_owned(), ..challenge.clone() })
            .await
            .unwrap();
    }
    for purpose in all {
        let key = ChallengeKey { purpose, ..key.clone() };
        let found = store.attempt_challenge(&key, at(0)).await.unwrap().unwrap();
        assert_eq!(found.client, purpose.as_str());
        assert!(store.consume_challenge(&key, at(0)).await.unwrap());
    }
}

pub async fn consuming_takes_it_away_exactly_once(store: Store) {
    let (key, _) = put(&store, |_| ()).await;
    assert!(store.consume_challenge(&key, at(59_999)).await.unwrap());
    assert!(!store.consume_challenge(&key, at(0)).await.unwrap());
    assert_eq!(store.answer_challenge(&key, &RIGHT, at(0)).await.unwrap(), Answer::Unknown);
}

pub async fn an_expired_challenge_cannot_be_consumed(store: Store) {
    let (key, _) = put(&store, |_| ()).await;
    assert!(!store.consume_challenge(&key, at(60_000)).await.unwrap());
}
