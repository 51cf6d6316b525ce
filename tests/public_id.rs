//! The integers that stand for users on the wire.

use cognate::pool::NewUser;

use crate::app::{PASSWORD, TestApp, story};

const RANGE: std::ops::RangeInclusive<i64> = 1..=2_147_483_647;

story!(a_public_id_leads_to_its_user_and_to_nobody_else);
async fn a_public_id_leads_to_its_user_and_to_nobody_else(app: TestApp) {
    let (one, other) = (app.pool(), app.replicas().last().unwrap().pool());
    let alice = one.create_user(NewUser::new("alice", PASSWORD)).await.unwrap();
    let bob = one.create_user(NewUser::new("bob", PASSWORD)).await.unwrap();
    let (of_alice, of_bob) = (one.public_id(&alice), one.public_id(&bob));
    assert!(RANGE.contains(&of_alice) && RANGE.contains(&of_bob) && of_alice.abs_diff(of_bob) > 1);
    assert_eq!(other.public_id(&alice), of_alice, "every replica says the same");
    for (id, name) in [(of_alice, "alice"), (of_bob, "bob")] {
        let found = other.user_by_public_id(&id.to_string()).await.unwrap().unwrap();
        assert_eq!(found.username, name);
    }
    let nobody = [
        alice.id.to_string(),
        format!("0{of_alice}"),
        format!("+{of_alice}"),
        format!(" {of_alice}"),
        format!("-{of_alice}"),
        format!("{of_alice}.0"),
        "0".to_owned(),
        String::new(),
        "9".repeat(400),
        i64::MAX.to_string(),
        "alice".to_owned(),
    ];
    for id in nobody {
        assert!(one.user_by_public_id(&id).await.unwrap().is_none(), "{id}");
    }
}

// E01
story!(a_name_without_a_user_has_an_id_like_any_other);
async fn a_name_without_a_user_has_an_id_like_any_other(app: TestApp) {
    let (one, other) = (app.pool(), app.replicas().last().unwrap().pool());
    let id = one.absent_public_id("ghost@example.test");
    assert_eq!(other.absent_public_id("Ghost@Example.TEST"), id, "as names are compared, on every replica");
    let mut ids: Vec<i64> = (0..1_000).map(|n| one.absent_public_id(&format!("ghost{n}@example.test"))).collect();
    assert!(ids.iter().all(|id| RANGE.contains(id)));
    assert!((400..600).contains(&ids.iter().filter(|id| **id < 1 << 30).count()), "spread like the others");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 1_000);
}
