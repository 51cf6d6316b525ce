//! Organizations and invitations: who gets in, how, and that a link does what it is for and nothing else.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cognate::error::Error;
use cognate::pool::{Client, Joins, LinkTo, NewUser, Proven, SignUp};
use cognate::store::directory::User;
use cognate::store::organization::Role;
use futures_util::future::join_all;

use crate::app::{PASSWORD, TestApp, story};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DAY: u64 = 24 * 3600;

fn link(client: &Client) -> LinkTo<'_> {
    LinkTo { client, page: None, life: Duration::from_secs(DAY) }
}

/// How it ended: `ok`, or the refusal's name.
fn outcome<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.map_or_else(|error| error.label(), |_| "ok")
}

/// The token in the one mail that is waiting, and the mail.
async fn mailed(app: &TestApp) -> (String, String) {
    let mails = app.mails().await;
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    let token = mail.lines().map(str::trim).find(|line| line.len() == 43 && !line.contains([' ', '.'])).unwrap();
    (token.to_owned(), mail.clone())
}

/// Somebody who signed up with an organization of his own, and its id.
async fn founder(app: &TestApp, email: &str, organization: &str) -> (User, i64) {
    let (pool, client) = (app.pool(), app.client());
    let joins = Joins::NewOrganization(organization);
    let draft = SignUp { email, password: PASSWORD, given_name: "Ann", family_name: "Smith", joins };
    pool.sign_up(&link(&client), draft, HERE).await.unwrap();
    let user = pool.confirm_sign_up(&client, &mailed(app).await.0).await.unwrap();
    let held = pool.memberships(&user).await.unwrap();
    (user, held[0].organization.id)
}

async fn proven(app: &TestApp, name: &str) -> Proven {
    app.pool().prove(&app.client(), name, PASSWORD, HERE).await.unwrap()
}

async fn roles(app: &TestApp, name: &str) -> Vec<(String, Role)> {
    let mut thoughts = Vec::new();
    for replica in app.replicas() {
        let user = replica.pool().find_user(name).await.unwrap();
        let held = replica.pool().memberships(&user).await.unwrap();
        thoughts.push(held.into_iter().map(|held| (held.organization.name, held.role)).collect::<Vec<_>>());
    }
    thoughts.dedup();
    assert_eq!(thoughts.len(), 1, "the replicas disagree");
    thoughts.remove(0)
}

story!(who_is_invited_joins_once_as_pending_and_is_let_in_by_somebody);
async fn who_is_invited_joins_once_as_pending_and_is_let_in_by_somebody(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    app.user("bob").await;
    let (pool, client) = (app.pool(), app.client());
    let token = pool.invite(&link(&client), &ann, acme, "Bob@Example.test", true).await.unwrap();
    let (in_mail, mail) = mailed(&app).await;
    assert_eq!(in_mail, token);
    assert!(mail.contains("To: Bob@Example.test") && mail.contains("Subject: Invitation to Acme"), "{mail}");
    for _ in 0..2 {
        let invitation = pool.invitation(&client, &token).await.unwrap();
        let whole = (invitation.email.as_str(), invitation.organization.name.as_str(), invitation.organization.id);
        assert_eq!(whole, ("bob@example.test", "Acme", acme), "looking does not use it up");
    }
    assert_eq!(outcome(pool.accept_invitation(&client, &proven(&app, "bob").await, &token).await), "ok");
    assert_eq!(roles(&app, "bob").await, [("Acme".to_owned(), Role::Pending)]);
    assert_eq!(outcome(pool.accept_invitation(&client, &proven(&app, "bob").await, &token).await), "link_invalid");
    assert_eq!(outcome(pool.invitation(&client, &token).await), "link_invalid");

    pool.change_role(acme, "bob", Role::Member).await.unwrap();
    assert_eq!(roles(&app, "bob").await, [("Acme".to_owned(), Role::Member)]);
    let members = pool.members(acme).await.unwrap();
    let members: Vec<_> = members.iter().map(|member| (member.user.username.as_str(), member.role)).collect();
    assert_eq!(members, [("ann@example.test", Role::Admin), ("bob", Role::Member)]);
    pool.leave_organization(acme, "bob@example.test").await.unwrap();
    assert!(roles(&app, "bob").await.is_empty());
    assert_eq!(outcome(pool.leave_organization(acme, "bob").await), "user_not_found");
    assert_eq!(outcome(pool.change_role(acme, "bob", Role::Admin).await), "user_not_found");
}

// P07
story!(an_invitation_is_good_for_its_address_client_and_day_only);
async fn an_invitation_is_good_for_its_address_client_and_day_only(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    app.user("bob").await;
    app.user("eve").await;
    let (pool, client) = (app.pool(), app.client());
    // A name proves nothing about an address, nor does an address that is not proven.
    pool.create_user(NewUser::new("carol@example.test", PASSWORD)).await.unwrap();
    let email = Some("dave@example.test".to_owned());
    pool.create_user(NewUser { email, email_verified: false, ..NewUser::new("dave", PASSWORD) }).await.unwrap();
    for (invited, comes) in
        [("bob@example.test", "eve"), ("carol@example.test", "carol@example.test"), ("dave@example.test", "dave")]
    {
        let token = pool.invite(&link(&client), &ann, acme, invited, false).await.unwrap();
        let refused = pool.accept_invitation(&client, &proven(&app, comes).await, &token).await;
        assert_eq!(outcome(refused), "invitation_for_another", "{comes}");
        assert_eq!(outcome(pool.invitation(&client, &token).await), "ok", "it stays good for who was invited");
    }
    let token = pool.invite(&link(&client), &ann, acme, "bob@example.test", false).await.unwrap();
    let bob = proven(&app, "bob").await;
    let other = Client { id: "another0another0another0an".to_owned(), ..client.clone() };
    for refused in ["", "x", &token[..42], &token.to_lowercase(), &format!("{token}=")] {
        assert_eq!(outcome(pool.accept_invitation(&client, &bob, refused).await), "link_invalid", "{refused}");
    }
    assert_eq!(outcome(pool.accept_invitation(&other, &bob, &token).await), "link_invalid");
    assert_eq!(outcome(pool.confirm_sign_up(&client, &token).await), "link_invalid", "it confirms nothing");
    app.clock.advance_seconds(DAY - 1);
    assert_eq!(outcome(pool.invitation(&client, &token).await), "ok");
    app.clock.advance_seconds(1);
    assert_eq!(outcome(pool.accept_invitation(&client, &bob, &token).await), "link_invalid");
    assert!(roles(&app, "bob").await.is_empty() && roles(&app, "eve").await.is_empty());
}

story!(who_may_have_no_tokens_joins_nothing);
async fn who_may_have_no_tokens_joins_nothing(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    let (pool, client) = (app.pool(), app.client());
    app.user("bob").await;
    let email = Some("eve@example.test".to_owned());
    pool.create_user(NewUser { email, temporary: true, ..NewUser::new("eve", PASSWORD) }).await.unwrap();
    pool.disable_user("bob").await.unwrap();
    for (name, refusal) in [("bob", "user_disabled"), ("eve", "new_password_required")] {
        let token = pool.invite(&link(&client), &ann, acme, &format!("{name}@example.test"), false).await.unwrap();
        let user = proven(&app, name).await;
        assert_eq!(outcome(pool.accept_invitation(&client, &user, &token).await), refusal);
        assert_eq!(outcome(pool.invitation(&client, &token).await), "ok");
        assert!(roles(&app, name).await.is_empty());
    }
}

story!(of_ten_acceptances_at_once_one_joins);
async fn of_ten_acceptances_at_once_one_joins(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    let app = app.doubled().await;
    app.user("bob").await;
    let client = app.client();
    let token = app.pool().invite(&link(&client), &ann, acme, "bob@example.test", false).await.unwrap();
    let bob = proven(&app, "bob").await;
    let pools: Vec<_> = app.replicas().map(TestApp::pool).collect();
    let ten = pools.iter().cycle().take(10);
    let answers = join_all(ten.map(|pool| pool.accept_invitation(&client, &bob, &token))).await;
    let mut answers: Vec<_> = answers.into_iter().map(outcome).collect();
    answers.sort_unstable();
    assert_eq!(answers, [["link_invalid"; 9].as_slice(), &["ok"]].concat());
    assert_eq!(roles(&app, "bob").await, [("Acme".to_owned(), Role::Pending)]);
}

story!(an_invitation_does_not_bring_back_who_was_taken_out);
async fn an_invitation_does_not_bring_back_who_was_taken_out(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    app.user("bob").await;
    let (pool, client) = (app.pool(), app.client());
    let invite = async || pool.invite(&link(&client), &ann, acme, "bob@example.test", false).await.unwrap();
    let (one, other) = (invite().await, invite().await);
    let bob = proven(&app, "bob").await;
    assert_eq!(outcome(pool.accept_invitation(&client, &bob, &one).await), "ok");
    assert_eq!(outcome(pool.accept_invitation(&client, &bob, &other).await), "already_member");
    pool.leave_organization(acme, "bob").await.unwrap();
    assert_eq!(outcome(pool.accept_invitation(&client, &bob, &other).await), "link_invalid");
}

// E20
story!(whether_somebody_is_a_member_is_told_only_where_existence_is_shown);
async fn whether_somebody_is_a_member_is_told_only_where_existence_is_shown(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    let client = app.client();
    let invite = async || {
        let pool = app.pool();
        outcome(pool.invite(&link(&client), &ann, acme, "ann@example.test", false).await)
    };
    assert_eq!(invite().await, "ok");
    app.change_pool(|pool| pool.hide_user_existence = false).await;
    assert_eq!(invite().await, "already_member");
}

// E20
story!(neither_one_address_nor_the_whole_world_is_flooded_with_invitations);
async fn neither_one_address_nor_the_whole_world_is_flooded_with_invitations(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    let (pool, client) = (app.pool(), app.client());
    for number in 1..=6 {
        let answer = pool.invite(&link(&client), &ann, acme, "bob@example.test", true).await;
        assert_eq!(outcome(answer), if number <= 5 { "ok" } else { "too_many_requests" }, "{number}");
    }
    for number in 7..=51 {
        let answer = pool.invite(&link(&client), &ann, acme, &format!("user-{number}@example.test"), true).await;
        assert_eq!(outcome(answer), if number <= 50 { "ok" } else { "too_many_requests" }, "{number}");
    }
    assert_eq!(app.mails().await.len(), 5 + 44);
    app.clock.advance_seconds(60);
    assert_eq!(outcome(pool.invite(&link(&client), &ann, acme, "bob@example.test", true).await), "ok");
}

story!(an_organization_that_is_deleted_invites_nobody_and_frees_its_name);
async fn an_organization_that_is_deleted_invites_nobody_and_frees_its_name(app: TestApp) {
    let (ann, acme) = founder(&app, "ann@example.test", "Acme").await;
    app.user("bob").await;
    let (pool, client) = (app.pool(), app.client());
    let token = pool.invite(&link(&client), &ann, acme, "bob@example.test", false).await.unwrap();
    assert_eq!(pool.organization_by_name("ACME").await.unwrap().id, acme);
    pool.delete_organization(acme).await.unwrap();
    assert_eq!(outcome(pool.invitation(&client, &token).await), "not_found");
    assert_eq!(outcome(pool.accept_invitation(&client, &proven(&app, "bob").await, &token).await), "not_found");
    for gone in [outcome(pool.delete_organization(acme).await), outcome(pool.members(acme).await)] {
        assert_eq!(gone, "not_found");
    }
    assert_eq!(outcome(pool.organization_by_name("Acme").await), "not_found");
    assert_eq!(outcome(pool.organization_by_name("a\0b").await), "not_found");
    let (_, again) = founder(&app, "carol@example.test", "acme").await;
    assert_ne!(again, acme);
    assert!(pool.memberships(&ann).await.unwrap().is_empty());
    let listed = pool.organizations(0, 10).await.unwrap();
    assert_eq!(listed.iter().map(|found| (found.id, found.name.as_str())).collect::<Vec<_>>(), [(again, "acme")]);
}
