//! Many at once, one winner: the verbs are single steps.

use std::future::Future;

use cognate::store::tokens::{Answer, Attempt, Floor, RefreshRule, Verdict};
use futures_util::future::join_all;

use super::attempts::THROTTLE;
use super::challenges::{challenge, key};
use super::{ROTATING, Store, at, opened, uuid};

/// Runs `count` tasks that start together and answers what each came to.
async fn together<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|index| tokio::spawn(task(index))).collect();
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

// C04, R22
pub async fn twenty_at_once_with_one_token_make_one_rotation_and_one_successor(store: Store) {
    let (_, key) = opened(&store, |_| ()).await;
    for presented in 0..5 {
        let verdicts = together(20, |_| {
            let (store, key) = (store.clone(), key.clone());
            async move { store.refresh(&key, presented, ROTATING, at(0)).await.unwrap() }
        })
        .await;
        let rotated = |verdict: &&Verdict| matches!(verdict, Verdict::Rotated(it) if it.generation == presented + 1);
        let retried = |verdict: &&Verdict| matches!(verdict, Verdict::Retry(it) if it.generation == presented + 1);
        assert_eq!(verdicts.iter().filter(rotated).count(), 1, "{verdicts:?}");
        assert_eq!(verdicts.iter().filter(retried).count(), 19, "{verdicts:?}");
    }
}

// C04, R13
pub async fn twenty_at_once_with_one_token_that_the_record_lost_get_one_successor(store: Store) {
    let (_, key) = opened(&store, |session| session.generation = 2).await;
    let rule = RefreshRule { floor: Floor { generation: 5, since: at(0) }, ..ROTATING };
    let verdicts = together(20, |_| {
        let (store, key) = (store.clone(), key.clone());
        async move { store.refresh(&key, 5, rule, at(0)).await.unwrap() }
    })
    .await;
    let rotated = |verdict: &&Verdict| matches!(verdict, Verdict::Rotated(it) if it.generation == 6);
    let retried = |verdict: &&Verdict| matches!(verdict, Verdict::Retry(it) if it.generation == 6);
    assert_eq!(verdicts.iter().filter(rotated).count(), 1, "{verdicts:?}");
    assert_eq!(verdicts.iter().filter(retried).count(), 19, "{verdicts:?}");
}

// C08, R24
pub async fn a_revoke_racing_refreshes_leaves_nothing_alive(store: Store) {
    for round in 0..12 {
        let (_, key) = opened(&store, |_| ()).await;
        together(3, |index| {
            let (store, key) = (store.clone(), key.clone());
            async move {
                if index == round % 3 {
                    assert!(store.end_session(&key).await.unwrap());
                } else {
                    store.refresh(&key, 0, ROTATING, at(0)).await.unwrap();
                }
            }
        })
        .await;
        for generation in 0..3 {
            assert_eq!(store.refresh(&key, generation, ROTATING, at(0)).await.unwrap(), Verdict::Unknown);
        }
        assert_eq!(store.session(&key, at(0)).await.unwrap(), None);
    }
}

pub async fn ending_everything_racing_refreshes_leaves_nothing_alive(store: Store) {
    for _ in 0..12 {
        let (session, key) = opened(&store, |_| ()).await;
        opened(&store, |other| other.user = session.user).await;
        let ended = together(3, |index| {
            let (store, key) = (store.clone(), key.clone());
            async move {
                if index == 1 {
                    return store.end_sessions_of(&key.pool, key.user, None).await.unwrap();
                }
                store.refresh(&key, 0, ROTATING, at(0)).await.unwrap();
                0
            }
        })
        .await;
        assert_eq!(ended.iter().sum::<u64>(), 2);
        assert!(store.sessions_of(&key.pool, key.user, at(0)).await.unwrap().is_empty());
    }
}

pub async fn ten_right_answers_at_once_have_one_winner(store: Store) {
    let (key, mut challenge) = (key(), challenge());
    challenge.attempts_left = 10;
    store.put_challenge(&key, &challenge).await.unwrap();
    let answers = together(10, |_| {
        let (store, key) = (store.clone(), key.clone());
        async move { store.answer_challenge(&key, &[7; 32], at(0)).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Answer::Right(_))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Answer::Unknown).count(), 9);
}

pub async fn ten_consumers_at_once_have_one_winner(store: Store) {
    let (key, challenge) = (key(), challenge());
    store.put_challenge(&key, &challenge).await.unwrap();
    let taken = together(10, |_| {
        let (store, key) = (store.clone(), key.clone());
        async move { store.consume_challenge(&key, at(0)).await.unwrap() }
    })
    .await;
    assert_eq!(taken.into_iter().filter(|taken| *taken).count(), 1);
}

pub async fn wrong_answers_at_once_never_exceed_the_limit(store: Store) {
    let (key, challenge) = (key(), challenge());
    store.put_challenge(&key, &challenge).await.unwrap();
    let answers = together(20, |index| {
        let (store, key) = (store.clone(), key.clone());
        // Every second task only attempts: both ways count on the same five.
        async move {
            match index % 2 {
                0 => store.attempt_challenge(&key, at(0)).await.unwrap().is_some(),
                _ => store.answer_challenge(&key, &[8; 32], at(0)).await.unwrap() == Answer::Wrong,
            }
        }
    })
    .await;
    assert_eq!(answers.into_iter().filter(|judged| *judged).count(), 5);
}

// D22
pub async fn sixty_attempts_at_once_pass_only_the_free_ones(store: Store) {
    let subject = uuid().to_string();
    let attempts = together(60, |_| {
        let (store, subject) = (store.clone(), subject.clone());
        async move { store.count_attempt(&subject, &THROTTLE, at(0)).await.unwrap() }
    })
    .await;
    assert_eq!(attempts.iter().filter(|attempt| **attempt == Attempt::Allowed).count(), 3);
    assert_eq!(attempts.iter().filter(|attempt| **attempt == Attempt::Locked(at(1_000))).count(), 57);
}

// C09
pub async fn two_sessions_of_a_user_do_not_touch_each_other(store: Store) {
    let (first, first_key) = opened(&store, |_| ()).await;
    let (_, second_key) = opened(&store, |session| session.user = first.user).await;
    let generations = together(2, |index| {
        let (store, key) = (store.clone(), if index == 0 { first_key.clone() } else { second_key.clone() });
        async move {
            for generation in 0..10 {
                let verdict = store.refresh(&key, generation, ROTATING, at(0)).await.unwrap();
                assert!(matches!(verdict, Verdict::Rotated(session) if session.generation == generation + 1));
            }
        }
    })
    .await;
    assert_eq!(generations.len(), 2);
    // Reuse ends one session, not the user.
    assert_eq!(store.refresh(&first_key, 0, ROTATING, at(20_000)).await.unwrap(), Verdict::Reuse);
    assert_eq!(store.session(&first_key, at(20_000)).await.unwrap(), None);
    assert!(matches!(store.refresh(&second_key, 10, ROTATING, at(20_000)).await.unwrap(), Verdict::Rotated(_)));
    assert!(store.end_session(&second_key).await.unwrap());
}
