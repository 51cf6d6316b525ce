//! Who may do what: every kind of caller against every act.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use cognate::error::Error;
use cognate::pool::{Action, Joins, LinkTo, NewGroup, NewUser, SignUp};
use cognate::store::organization::Role;

use crate::app::{PASSWORD, TestApp, story};

/// An organization that `name`, who is made, administers.
async fn organization_of(app: &TestApp, name: &str) -> i64 {
    let (pool, client) = (app.pool(), app.client());
    let (email, organization) = (format!("founder-of-{name}@example.test"), format!("of {name}"));
    let joins = Joins::NewOrganization(&organization);
    let draft = SignUp { email: &email, password: PASSWORD, given_name: "Ann", family_name: "Smith", joins };
    let link = LinkTo { client: &client, page: None, life: Duration::from_secs(60) };
    pool.sign_up(&link, draft, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.unwrap();
    let organization = pool.organization_by_name(&organization).await.unwrap().id;
    join(app, name, organization, Role::Admin).await;
    organization
}

async fn join(app: &TestApp, name: &str, organization: i64, role: Role) {
    app.user(name).await;
    let (pool, directory) = (app.pool(), &app.api.ports.directory);
    let sub = pool.find_user(name).await.unwrap().sub;
    directory.join_organization(pool.id(), organization, sub, role).await.unwrap();
}

// P01
story!(every_caller_may_do_what_his_role_says_and_nothing_else);
async fn every_caller_may_do_what_his_role_says_and_nothing_else(app: TestApp) {
    let pool = app.pool();
    let (ours, theirs) = (organization_of(&app, "chief").await, organization_of(&app, "stranger").await);
    pool.create_group(NewGroup { name: "admin".to_owned(), ..cognate::pool::NewGroup::default() }).await.unwrap();
    pool.create_group(NewGroup { name: "admins".to_owned(), ..cognate::pool::NewGroup::default() }).await.unwrap();
    let draft = NewUser { groups: vec!["admin".to_owned()], ..NewUser::new("root", PASSWORD) };
    pool.create_user(draft).await.unwrap();
    let draft = NewUser { groups: vec!["admins".to_owned()], ..NewUser::new("nearly", PASSWORD) };
    pool.create_user(draft).await.unwrap();
    join(&app, "member", ours, Role::Member).await;
    join(&app, "pending", ours, Role::Pending).await;
    app.user("nobody").await;
    let nobody = pool.find_user("nobody").await.unwrap().sub;
    let acts = [
        Action::RegisterUsers,
        Action::ResetPasswords,
        Action::ChangePassword { of: nobody },
        Action::Invite { organization: ours },
        Action::Invite { organization: theirs },
        Action::Invite { organization: 4711 },
    ];
    for (name, may) in [
        ("root", [true, true, true, true, true, true]),
        ("nearly", [false, false, false, false, false, false]),
        ("chief", [false, false, false, true, false, false]),
        ("stranger", [false, false, false, false, true, false]),
        ("member", [false, false, false, false, false, false]),
        ("pending", [false, false, false, false, false, false]),
        ("nobody", [false, false, true, false, false, false]),
    ] {
        for replica in app.replicas() {
            let caller = replica.pool().find_user(name).await.unwrap();
            for (action, may) in acts.into_iter().zip(may) {
                let answer = replica.pool().permit(&caller, action).await;
                assert!(
                    matches!((&answer, may), (Ok(()), true) | (Err(Error::AccessDenied), false)),
                    "{name} {action:?}"
                );
            }
        }
    }
}

story!(who_loses_a_role_loses_what_it_allows);
async fn who_loses_a_role_loses_what_it_allows(app: TestApp) {
    let ours = organization_of(&app, "chief").await;
    let pool = app.pool();
    let invite = Action::Invite { organization: ours };
    let chief = pool.find_user("chief").await.unwrap();
    assert!(pool.permit(&chief, invite).await.is_ok());
    pool.change_role(ours, "chief", Role::Member).await.unwrap();
    assert!(pool.permit(&chief, invite).await.is_err());
    pool.change_role(ours, "chief", Role::Admin).await.unwrap();
    assert!(pool.permit(&chief, invite).await.is_ok());
    pool.leave_organization(ours, "chief").await.unwrap();
    assert!(pool.permit(&chief, invite).await.is_err());
}
