//! Outgoing mails and ended sessions: what has an end, and is forgotten after it.

use cognate::store::directory::OutboxMail;

use super::{POOL, Store, at, mail, user, uuid};

pub async fn a_mail_is_claimed_by_one_and_held(store: Store) {
    let letter = mail(0, 10_000);
    store.enqueue_mail(&letter).await.unwrap();
    let claimed = store.claim_mail(at(0), at(1_000)).await.unwrap();
    assert_eq!(claimed, Some(OutboxMail { attempts: 1, due_at: at(1_000), ..letter.clone() }));
    assert_eq!(store.claim_mail(at(999), at(2_000)).await.unwrap(), None);
    let again = store.claim_mail(at(1_000), at(2_000)).await.unwrap();
    assert_eq!(again, Some(OutboxMail { attempts: 2, due_at: at(2_000), ..letter }));
}

pub async fn the_earliest_mail_that_is_due_comes_first(store: Store) {
    let (late, early) = (mail(20, 10_000), mail(10, 10_000));
    store.enqueue_mail(&late).await.unwrap();
    store.enqueue_mail(&early).await.unwrap();
    assert_eq!(store.claim_mail(at(30), at(1_000)).await.unwrap().unwrap().id, early.id);
    assert_eq!(store.claim_mail(at(30), at(1_000)).await.unwrap().unwrap().id, late.id);
    assert_eq!(store.claim_mail(at(30), at(1_000)).await.unwrap(), None);
}

pub async fn a_mail_before_its_time_or_after_its_end_is_not_claimed(store: Store) {
    store.enqueue_mail(&mail(100, 200)).await.unwrap();
    assert_eq!(store.claim_mail(at(99), at(150)).await.unwrap(), None);
    assert_eq!(store.claim_mail(at(200), at(300)).await.unwrap(), None);
    assert!(store.claim_mail(at(199), at(300)).await.unwrap().is_some());
}

pub async fn a_postponed_mail_comes_again_at_its_time(store: Store) {
    let letter = mail(0, 10_000);
    store.enqueue_mail(&letter).await.unwrap();
    store.claim_mail(at(0), at(1_000)).await.unwrap();
    store.postpone_mail(letter.id, at(50)).await.unwrap();
    assert_eq!(store.claim_mail(at(49), at(1_000)).await.unwrap(), None);
    assert_eq!(store.claim_mail(at(50), at(1_000)).await.unwrap().unwrap().attempts, 2);
}

pub async fn a_finished_mail_is_gone(store: Store) {
    let letter = mail(0, 10_000);
    store.enqueue_mail(&letter).await.unwrap();
    store.finish_mail(letter.id).await.unwrap();
    store.finish_mail(letter.id).await.unwrap();
    assert_eq!(store.claim_mail(at(5_000), at(6_000)).await.unwrap(), None);
}

// R06, R13
pub async fn an_ended_session_is_told_with_its_owner(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let (ended, alive) = (uuid(), uuid());
    store.end_session(ended, at(10_000)).await.unwrap();
    let owner = store.session_owner(POOL, ada.sub, ended).await.unwrap().unwrap();
    assert!(owner.session_ended);
    assert_eq!(owner.user, ada);
    assert!(!store.session_owner(POOL, ada.sub, alive).await.unwrap().unwrap().session_ended);
    assert!(store.session_owner(POOL, uuid(), ended).await.unwrap().is_none());
}

pub async fn ending_a_session_twice_keeps_the_later_expiry(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let session = uuid();
    for expires in [at(2_000), at(3_000), at(1_000)] {
        store.end_session(session, expires).await.unwrap();
    }
    assert_eq!(store.purge(at(2_999)).await.unwrap(), 0);
    assert!(store.session_owner(POOL, ada.sub, session).await.unwrap().unwrap().session_ended);
    assert_eq!(store.purge(at(3_000)).await.unwrap(), 1);
}

pub async fn purge_forgets_what_has_expired_and_nothing_else(store: Store) {
    let ada = store.create_user(&user("ada")).await.unwrap();
    let (old, new) = (uuid(), uuid());
    store.end_session(old, at(1_000)).await.unwrap();
    store.end_session(new, at(1_001)).await.unwrap();
    store.enqueue_mail(&mail(0, 1_000)).await.unwrap();
    let kept = mail(0, 1_001);
    store.enqueue_mail(&kept).await.unwrap();
    assert_eq!(store.purge(at(1_000)).await.unwrap(), 2);
    assert!(!store.session_owner(POOL, ada.sub, old).await.unwrap().unwrap().session_ended);
    assert!(store.session_owner(POOL, ada.sub, new).await.unwrap().unwrap().session_ended);
    assert_eq!(store.claim_mail(at(0), at(1)).await.unwrap().unwrap().id, kept.id);
}

pub async fn a_store_that_works_answers_ping(store: Store) {
    store.ping().await.unwrap();
}
