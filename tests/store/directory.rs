//! What every `Directory` must do. A backend takes part with one line: `directory_suite!(name, open)`, where `open`
//! yields the store and whatever must live as long as it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cognate::clock::Timestamp;
use cognate::crypto::Random;
use cognate::store::directory::{Directory, Document, Group, OutboxMail, User, UserStatus};
use cognate::store::organization::{Joining, Organization};
use uuid::Uuid;

mod devices;
mod documents;
mod floors;
mod former;
mod groups;
mod logins;
mod organizations;
mod outbox;
mod pools;
mod races;
mod registrations;
mod search;
mod users;

/// The store under test.
pub type Store = Arc<dyn Directory>;

/// One test of each kind for one backend.
macro_rules! directory_suite {
    ($backend:ident) => {
        mod $backend {
            directory_suite! { @tests $backend;
                users::a_new_user_is_read_back_whole,
                users::ids_grow_and_are_never_given_twice,
                users::a_user_is_found_in_his_own_pool_only,
                users::a_user_is_found_by_id_in_his_own_pool_only,
                users::an_update_writes_all_fields_and_raises_the_version,
                users::an_update_of_a_version_that_is_gone_is_a_conflict,
                users::an_update_changes_neither_groups_nor_birthday,
                users::a_deleted_user_is_gone_with_logins_and_memberships,
                users::pages_follow_the_id_and_keep_to_the_pool,
                users::a_sub_is_given_once_in_a_pool,
                users::text_is_kept_as_it_is,
                users::more_users_than_one_statement_makes_are_all_made_and_answered_whole,
                users::users_made_together_are_each_made_or_refused_for_themselves,
                logins::a_user_is_found_by_name,
                logins::a_user_is_found_by_verified_address_only,
                logins::a_name_wins_over_an_address,
                logins::a_name_is_taken_once_in_a_pool,
                logins::a_verified_address_is_taken_once_in_a_pool,
                logins::an_unverified_address_may_be_shared_until_one_proves_it,
                logins::a_name_equal_to_a_verified_address_of_another_is_refused,
                logins::a_verified_address_equal_to_the_name_of_another_is_refused,
                logins::a_name_equal_to_the_own_address_is_one_login,
                logins::a_user_is_found_by_the_aliases_that_are_kept_with_him_and_by_no_other,
                logins::an_alias_has_one_owner_in_a_pool,
                logins::a_changed_name_frees_the_old_one,
                logins::an_address_no_longer_verified_is_free,
                logins::a_refused_creation_leaves_nothing_behind,
                groups::a_group_is_made_once,
                groups::groups_are_listed_by_precedence_then_name,
                groups::the_groups_of_a_user_come_with_him_lowest_precedence_first,
                groups::a_user_is_created_into_groups_that_exist,
                groups::a_member_is_added_and_removed_any_number_of_times,
                groups::a_missing_group_or_user_is_named,
                groups::a_deleted_group_leaves_its_members,
                groups::a_page_of_users_brings_the_groups_of_each,
                groups::a_group_is_changed_where_something_is_given,
                groups::members_of_a_group_come_in_pages_by_id,
                search::a_user_is_found_by_whatever_is_searched,
                search::a_beginning_is_searched_byte_by_byte,
                search::pages_of_a_search_follow_the_id_and_keep_to_the_pool,
                organizations::an_organization_is_found_by_id_and_name_in_its_own_pool_only,
                organizations::a_name_of_an_organization_is_taken_once_in_a_pool,
                organizations::pages_of_organizations_follow_the_id_and_keep_to_the_pool,
                organizations::ids_of_organizations_are_never_given_twice,
                organizations::a_user_joins_once,
                organizations::who_joins_what_is_not_there_is_told_what_is_missing,
                organizations::the_organizations_of_a_user_are_listed_by_id_with_his_roles,
                organizations::members_are_listed_by_their_ids_each_with_his_groups,
                organizations::a_role_is_changed_where_there_is_one,
                organizations::a_member_leaves_once,
                organizations::a_deleted_organization_is_gone_with_its_memberships_and_its_members_stay,
                organizations::a_deleted_user_leaves_his_organizations,
                registrations::a_registration_founds_an_organization_with_its_administrator,
                registrations::a_registration_joins_an_organization_in_the_role_it_names,
                registrations::an_unconfirmed_user_gives_way_with_the_organization_he_founded,
                registrations::an_organization_with_other_members_outlives_the_founder_who_gives_way,
                registrations::an_organization_that_somebody_else_founded_outlives_an_unconfirmed_member,
                registrations::who_is_confirmed_or_disabled_gives_way_to_nobody,
                registrations::a_name_that_is_a_verified_address_of_another_is_refused,
                registrations::a_refused_registration_keeps_whoever_would_have_given_way,
                registrations::who_is_unconfirmed_can_be_deleted_with_what_he_founded_alone,
                registrations::an_organization_that_is_gone_or_of_another_pool_is_not_joined,
                registrations::what_is_wrong_with_the_organization_is_said_before_what_is_wrong_with_the_user,
                registrations::a_user_of_another_pool_gives_way_to_nobody_here,
                devices::a_device_is_made_once_and_read_back,
                devices::a_device_is_found_with_its_user_in_his_own_pool_only,
                devices::pages_of_devices_follow_the_id,
                devices::a_device_is_remembered_and_used_where_there_is_one,
                devices::a_forgotten_device_is_gone_with_the_session_it_was_offered_to,
                devices::of_more_devices_than_there_may_be_the_one_used_longest_ago_gives_way,
                devices::a_deleted_user_takes_his_devices_with_him,
                devices::devices_confirmed_at_once_keep_to_the_bound,
                devices::one_of_many_confirms_a_device,
                documents::a_document_is_made_once_and_read_back,
                documents::documents_are_listed_under_their_parent_by_id,
                documents::an_update_names_the_version_it_read,
                documents::a_deleted_document_is_gone,
                documents::a_big_document_is_kept_whole,
                outbox::a_mail_is_claimed_by_one_and_held,
                outbox::the_earliest_mail_that_is_due_comes_first,
                outbox::a_mail_before_its_time_or_after_its_end_is_not_claimed,
                outbox::a_postponed_mail_comes_again_at_its_time,
                outbox::a_finished_mail_is_gone,
                outbox::an_ended_session_is_told_with_its_owner,
                outbox::ending_a_session_twice_keeps_the_later_expiry,
                outbox::purge_forgets_what_has_expired_and_nothing_else,
                outbox::a_store_that_works_answers_ping,
                floors::a_floor_rises_and_never_falls,
                floors::a_floor_is_told_with_the_owner_of_its_session,
                floors::a_floor_is_forgotten_at_its_latest_expiry,
                floors::of_many_floors_raised_at_once_the_highest_stands,
                former::a_password_that_gives_way_joins_the_former_ones_newest_first,
                former::a_first_password_has_none_before_it,
                former::a_replacement_of_a_version_that_is_gone_leaves_nothing,
                former::users_come_with_former_passwords_and_take_them_along,
                former::former_passwords_are_trimmed_some_users_at_a_time,
                former::of_many_replacements_at_once_one_joins,
                pools::users_of_a_pool_are_deleted_some_at_a_time,
                pools::clients_of_a_pool_are_deleted_together,
                pools::documents_are_deleted_some_at_a_time,
                pools::a_deleted_pool_leaves_nothing_that_names_it,
                races::one_of_many_creates_a_name,
                races::one_of_many_takes_a_login_whether_as_name_or_as_address,
                races::one_of_many_updates_a_version,
                races::one_of_many_verifies_an_address,
                races::one_of_many_makes_a_document,
                races::one_of_many_updates_a_document,
                races::every_mail_is_claimed_by_exactly_one,
                races::ids_made_at_once_are_all_different,
                races::a_refused_write_harms_none_that_came_with_it,
                races::one_of_many_registers_an_address,
                races::one_of_many_unconfirmed_registrations_stays,
                races::one_of_many_founds_an_organization,
                races::one_of_many_joins_an_organization,
                races::either_a_confirmation_or_a_new_registration_wins,
                races::nobody_joins_an_organization_that_is_given_up,
            }
        }
    };
    (@tests $backend:ident; $($group:ident :: $name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let (store, _alive) = crate::store::sql::$backend().await;
                crate::store::directory::$group::$name(std::sync::Arc::new(store)).await;
            }
        )+
    };
}

directory_suite!(sqlite);
directory_suite!(postgres);

/// The instant `millis` after an arbitrary fixed one: tests move the time by literal steps.
const fn at(millis: i64) -> Timestamp {
    Timestamp(1_800_000_000_000 + millis)
}

fn uuid() -> Uuid {
    Random::default().uuid().unwrap()
}

const POOL: &str = "eu-west-1_Conform01";

/// A confirmed user without address.
fn user(name: &str) -> User {
    User {
        id: 0,
        pool: POOL.to_owned(),
        sub: uuid(),
        username: name.to_owned(),
        username_key: name.to_lowercase(),
        email: None,
        email_key: None,
        email_verified: false,
        phone: None,
        phone_verified: false,
        attributes: BTreeMap::new(),
        status: UserStatus::Confirmed,
        enabled: true,
        aliases: None,
        password: None,
        former_passwords: Vec::new(),
        srp: None,
        mfa: None,
        temporary_until: None,
        session_epoch: 0,
        spared_session: None,
        external_id: None,
        client_secret: None,
        api_key: None,
        groups: Vec::new(),
        created_at: at(0),
        updated_at: at(0),
        version: 0,
    }
}

/// The same with an address, proven or not.
fn with_address(name: &str, address: &str, verified: bool) -> User {
    let email_key = Some(address.to_lowercase());
    User { email: Some(address.to_owned()), email_key, email_verified: verified, ..user(name) }
}

/// Somebody who signed up with his address and has proven nothing.
fn unconfirmed(address: &str) -> User {
    User { status: UserStatus::Unconfirmed, ..with_address(address, address, false) }
}

fn founding(name: &str) -> Joining {
    Joining::New { name: name.to_owned(), name_key: name.to_lowercase() }
}

/// An organization founded by a new, confirmed user.
async fn founded(store: &Store, founder: &str, name: &str) -> Organization {
    store.register_user(&user(founder), &founding(name)).await.unwrap();
    store.organization_by_name(POOL, &name.to_lowercase()).await.unwrap().unwrap()
}

fn group(name: &str, precedence: i64) -> Group {
    let (pool, name) = (POOL.to_owned(), name.to_owned());
    Group { pool, name, description: None, precedence, role_arn: None, created_at: at(0), updated_at: at(0) }
}

fn document(id: &str, body: &str) -> Document {
    let (kind, parent) = ("client".to_owned(), POOL.to_owned());
    Document { kind, id: id.to_owned(), parent, version: 0, body: body.to_owned() }
}

fn mail(due: i64, expires: i64) -> OutboxMail {
    OutboxMail { id: uuid(), sealed: vec![0, 255, 7], attempts: 0, due_at: at(due), expires_at: at(expires) }
}

/// The outcomes of `count` tasks that start together.
async fn all_at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(tokio::sync::Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|number| {
            let (start, work) = (start.clone(), task(number));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}
