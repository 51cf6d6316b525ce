//! The Directory on SQL: each verb handed to the reader or the writer, with what it needs.

use std::collections::HashMap;

use async_trait::async_trait;
use uuid::Uuid;

use super::{
    Plan, Sql, batch, devices, documents, floors, former, groups, lookups, members, organizations, outbox, pools,
    register, search, users,
};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::device::Device;
use crate::store::directory::{Directory, Document, Group, GroupChange, OutboxMail, Search, SessionOwner, User};
use crate::store::organization::{Joining, Member, Membership, Organization, Role};
use crate::store::tokens::Floor;

#[async_trait]
impl Directory for Sql {
    async fn ping(&self) -> Result<Option<Timestamp>, Error> {
        self.answers().await
    }

    async fn create_user(&self, user: &User) -> Result<User, Error> {
        self.write(Plan::WHOLE, user.clone(), |c, user| Box::pin(users::create(c, user))).await
    }

    async fn create_users(&self, users: &[User]) -> Result<Vec<Result<User, Error>>, Error> {
        self.write(Plan::WHOLE, users.to_vec(), |c, users| Box::pin(batch::create(c, users))).await
    }

    async fn user_by_login(&self, pool: &str, username_key: &str, alias: &str) -> Result<Option<User>, Error> {
        let args = (pool, username_key, alias);
        self.read(args, |c, (pool, name, address)| Box::pin(lookups::find_by_login(c, pool, name, address))).await
    }

    async fn user(&self, pool: &str, sub: Uuid) -> Result<Option<User>, Error> {
        self.read((pool, sub), |c, (pool, sub)| Box::pin(lookups::find(c, pool, *sub))).await
    }

    async fn session_owner(&self, pool: &str, sub: Uuid, session: Uuid) -> Result<Option<SessionOwner>, Error> {
        let args = (pool, sub, session);
        self.read(args, |c, (pool, sub, session)| Box::pin(lookups::owner(c, pool, *sub, *session))).await
    }

    async fn update_user(&self, user: &User) -> Result<i64, Error> {
        self.write(Plan::WHOLE.urgent(), user.clone(), |c, user| Box::pin(users::update(c, user))).await
    }

    async fn replace_password(&self, user: &User, most: u32) -> Result<i64, Error> {
        let args = (user.clone(), most);
        self.write(Plan::WHOLE.urgent(), args, |c, (user, most)| Box::pin(former::replace(c, user, *most))).await
    }

    async fn former_passwords(&self, pool: &str, subs: &[Uuid]) -> Result<HashMap<Uuid, Vec<String>>, Error> {
        self.read((pool, subs), |c, (pool, subs)| Box::pin(former::of_users(c, pool, subs))).await
    }

    async fn trim_former_passwords(&self, pool: &str, most: u32, limit: u32) -> Result<u64, Error> {
        let args = (pool.to_owned(), most, limit);
        self.write(Plan::STEP.urgent(), args, |c, (pool, most, limit)| Box::pin(former::trim(c, pool, *most, *limit)))
            .await
    }

    async fn delete_user(&self, pool: &str, sub: Uuid) -> Result<bool, Error> {
        let args = (pool.to_owned(), sub);
        self.write(Plan::STEP.urgent(), args, |c, (pool, sub)| Box::pin(users::delete(c, pool, *sub))).await
    }

    async fn user_by_id(&self, pool: &str, id: i64) -> Result<Option<User>, Error> {
        self.read((pool, id), |c, (pool, id)| Box::pin(lookups::find_by_id(c, pool, *id))).await
    }

    async fn users(&self, pool: &str, after: i64, limit: u32) -> Result<Vec<User>, Error> {
        let args = (pool, after, limit);
        self.read(args, |c, (pool, after, limit)| Box::pin(lookups::page(c, pool, *after, *limit))).await
    }

    async fn search_users(&self, pool: &str, search: &Search, after: i64, limit: u32) -> Result<Vec<User>, Error> {
        let args = (pool, search, after, limit);
        self.read(args, |c, (pool, search, after, limit)| Box::pin(search::page(c, pool, search, *after, *limit))).await
    }

    async fn register_user(&self, user: &User, joining: &Joining) -> Result<User, Error> {
        let args = (user.clone(), joining.clone());
        self.write(Plan::WHOLE, args, |c, (user, joining)| Box::pin(register::register(c, user, joining))).await
    }

    async fn delete_unconfirmed(&self, pool: &str, username_key: &str) -> Result<bool, Error> {
        let args = (pool.to_owned(), username_key.to_owned());
        let gone = self.write(Plan::WHOLE, args, |c, (pool, name)| Box::pin(register::give_way(c, pool, name))).await?;
        Ok(gone.is_some())
    }

    async fn reserve_organization(&self, draft: &User, name: &str, name_key: &str) -> Result<(), Error> {
        let args = (draft.clone(), name.to_owned(), name_key.to_owned());
        self.write(Plan::WHOLE, args, |c, (user, name, key)| Box::pin(register::reserve(c, user, name, key))).await
    }

    async fn organization(&self, pool: &str, id: i64) -> Result<Option<Organization>, Error> {
        self.read((pool, id), |c, (pool, id)| Box::pin(organizations::find(c, pool, *id))).await
    }

    async fn organization_by_name(&self, pool: &str, name_key: &str) -> Result<Option<Organization>, Error> {
        self.read((pool, name_key), |c, (pool, name)| Box::pin(organizations::find_by_name(c, pool, name))).await
    }

    async fn organizations(&self, pool: &str, after: i64, limit: u32) -> Result<Vec<Organization>, Error> {
        let args = (pool, after, limit);
        self.read(args, |c, (pool, after, limit)| Box::pin(organizations::page(c, pool, *after, *limit))).await
    }

    async fn delete_organization(&self, pool: &str, id: i64) -> Result<bool, Error> {
        let args = (pool.to_owned(), id);
        self.write(Plan::STEP.urgent(), args, |c, (pool, id)| Box::pin(organizations::delete(c, pool, *id))).await
    }

    async fn memberships(&self, pool: &str, sub: Uuid) -> Result<Vec<Membership>, Error> {
        self.read((pool, sub), |c, (pool, sub)| Box::pin(members::of_user(c, pool, *sub))).await
    }

    async fn members(&self, pool: &str, organization: i64) -> Result<Vec<Member>, Error> {
        self.read((pool, organization), |c, (pool, id)| Box::pin(lookups::members(c, pool, *id))).await
    }

    async fn join_organization(&self, pool: &str, organization: i64, sub: Uuid, role: Role) -> Result<(), Error> {
        let args = (pool.to_owned(), organization, sub, role);
        self.write(Plan::WHOLE, args, |c, (pool, id, sub, role)| Box::pin(members::join(c, pool, *id, *sub, *role)))
            .await
    }

    async fn change_role(&self, pool: &str, organization: i64, sub: Uuid, role: Role) -> Result<bool, Error> {
        let args = (pool.to_owned(), organization, sub, role);
        self.write(Plan::STEP.urgent(), args, |c, (pool, id, sub, role)| {
            Box::pin(members::change_role(c, pool, *id, *sub, *role))
        })
        .await
    }

    async fn leave_organization(&self, pool: &str, organization: i64, sub: Uuid) -> Result<bool, Error> {
        let args = (pool.to_owned(), organization, sub);
        self.write(Plan::STEP.urgent(), args, |c, (pool, id, sub)| Box::pin(members::leave(c, pool, *id, *sub))).await
    }

    async fn create_group(&self, group: &Group) -> Result<(), Error> {
        self.write(Plan::STEP, group.clone(), |c, group| Box::pin(groups::create(c, group))).await
    }

    async fn groups(&self, pool: &str) -> Result<Vec<Group>, Error> {
        self.read(pool, |c, pool| Box::pin(groups::list(c, pool))).await
    }

    async fn group(&self, pool: &str, name: &str) -> Result<Option<Group>, Error> {
        self.read((pool, name), |c, (pool, name)| Box::pin(groups::find(c, pool, name))).await
    }

    async fn update_group(
        &self,
        pool: &str,
        name: &str,
        change: &GroupChange,
        now: Timestamp,
    ) -> Result<Option<Group>, Error> {
        let args = (pool.to_owned(), name.to_owned(), change.clone(), now);
        self.write(Plan::STEP, args, |c, (pool, name, change, now)| {
            Box::pin(groups::update(c, pool, name, change, *now))
        })
        .await
    }

    async fn users_in_group(&self, pool: &str, name: &str, after: i64, limit: u32) -> Result<Vec<User>, Error> {
        let args = (pool, name, after, limit);
        self.read(args, |c, (pool, name, after, limit)| Box::pin(lookups::in_group(c, pool, name, *after, *limit)))
            .await
    }

    async fn delete_group(&self, pool: &str, name: &str) -> Result<bool, Error> {
        let args = (pool.to_owned(), name.to_owned());
        self.write(Plan::STEP.urgent(), args, |c, (pool, name)| Box::pin(groups::delete(c, pool, name))).await
    }

    async fn add_to_group(&self, pool: &str, name: &str, sub: Uuid) -> Result<(), Error> {
        let args = (pool.to_owned(), name.to_owned(), sub);
        self.write(Plan::WHOLE, args, |c, (pool, name, sub)| Box::pin(groups::add(c, pool, name, *sub))).await
    }

    async fn remove_from_group(&self, pool: &str, name: &str, sub: Uuid) -> Result<(), Error> {
        let args = (pool.to_owned(), name.to_owned(), sub);
        self.write(Plan::STEP.urgent(), args, |c, (pool, name, sub)| Box::pin(groups::remove(c, pool, name, *sub)))
            .await
    }

    async fn confirm_device(&self, device: &Device, most: u32, ended_until: Timestamp) -> Result<bool, Error> {
        let args = (device.clone(), most, ended_until);
        self.write(Plan::WHOLE, args, |c, (device, most, until)| Box::pin(devices::confirm(c, device, *most, *until)))
            .await
    }

    async fn device(&self, pool: &str, user: Uuid, id: Uuid) -> Result<Option<Device>, Error> {
        self.read((pool, user, id), |c, (pool, user, id)| Box::pin(devices::find(c, pool, *user, *id))).await
    }

    async fn devices(&self, pool: &str, user: Uuid, after: Option<Uuid>, limit: u32) -> Result<Vec<Device>, Error> {
        let args = (pool, user, after, limit);
        self.read(args, |c, (pool, user, after, limit)| Box::pin(devices::page(c, pool, *user, *after, *limit))).await
    }

    async fn remember_device(
        &self,
        pool: &str,
        user: Uuid,
        id: Uuid,
        remembered: bool,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let args = (pool.to_owned(), user, id, remembered, now);
        self.write(Plan::STEP.urgent(), args, |c, (pool, user, id, remembered, now)| {
            Box::pin(devices::remember(c, pool, *user, *id, *remembered, *now))
        })
        .await
    }

    async fn use_device(&self, pool: &str, user: Uuid, id: Uuid, now: Timestamp) -> Result<bool, Error> {
        let args = (pool.to_owned(), user, id, now);
        self.write(Plan::STEP, args, |c, (pool, user, id, now)| Box::pin(devices::note_use(c, pool, *user, *id, *now)))
            .await
    }

    async fn forget_device(&self, pool: &str, user: Uuid, id: Uuid, ended_until: Timestamp) -> Result<bool, Error> {
        let args = (pool.to_owned(), user, id, ended_until);
        self.write(Plan::WHOLE.urgent(), args, |c, (pool, user, id, until)| {
            Box::pin(devices::forget(c, pool, *user, *id, *until))
        })
        .await
    }

    async fn end_session(&self, session: Uuid, expires_at: Timestamp) -> Result<(), Error> {
        let args = (session, expires_at);
        self.write(Plan::STEP.urgent(), args, |c, (id, until)| Box::pin(outbox::end_session(c, *id, *until))).await
    }

    async fn raise_floor(&self, session: Uuid, floor: Floor, expires_at: Timestamp) -> Result<Floor, Error> {
        let args = (session, floor, expires_at);
        self.write(Plan::STEP, args, |c, (id, floor, until)| Box::pin(floors::raise(c, *id, *floor, *until))).await
    }

    async fn purge(&self, now: Timestamp) -> Result<u64, Error> {
        self.purge_lasting(now).await
    }

    async fn document(&self, kind: &str, id: &str) -> Result<Option<Document>, Error> {
        self.read((kind, id), |c, (kind, id)| Box::pin(documents::find(c, kind, id))).await
    }

    async fn documents(&self, kind: &str, parent: &str) -> Result<Vec<Document>, Error> {
        self.read((kind, parent), |c, (kind, parent)| Box::pin(documents::list(c, kind, parent))).await
    }

    async fn create_document(&self, document: &Document) -> Result<bool, Error> {
        self.write(Plan::STEP, document.clone(), |c, document| Box::pin(documents::create(c, document))).await
    }

    async fn update_document(&self, document: &Document) -> Result<i64, Error> {
        self.write(Plan::STEP, document.clone(), |c, document| Box::pin(documents::update(c, document))).await
    }

    async fn delete_document(&self, kind: &str, id: &str) -> Result<bool, Error> {
        let args = (kind.to_owned(), id.to_owned());
        self.write(Plan::STEP.urgent(), args, |c, (kind, id)| Box::pin(documents::delete(c, kind, id))).await
    }

    async fn delete_documents(&self, kind: &str, parent: &str, limit: u32) -> Result<u64, Error> {
        let args = (kind.to_owned(), parent.to_owned(), limit);
        self.write(Plan::STEP.urgent(), args, |c, (kind, parent, limit)| {
            Box::pin(documents::delete_some(c, kind, parent, *limit))
        })
        .await
    }

    async fn delete_users(&self, pool: &str, limit: u32) -> Result<u64, Error> {
        let args = (pool.to_owned(), limit);
        self.write(Plan::WHOLE.urgent(), args, |c, (pool, limit)| Box::pin(pools::delete_users(c, pool, *limit))).await
    }

    async fn delete_clients(&self, pool: &str) -> Result<u64, Error> {
        self.write(Plan::WHOLE.urgent(), pool.to_owned(), |c, pool| Box::pin(pools::delete_clients(c, pool))).await
    }

    async fn delete_pool(&self, pool: &str) -> Result<bool, Error> {
        self.write(Plan::WHOLE.urgent(), pool.to_owned(), |c, pool| Box::pin(pools::delete(c, pool))).await
    }

    async fn enqueue_mail(&self, mail: &OutboxMail) -> Result<(), Error> {
        self.write(Plan::STEP, mail.clone(), |c, mail| Box::pin(outbox::enqueue(c, mail))).await
    }

    async fn claim_mail(&self, now: Timestamp, held_until: Timestamp) -> Result<Option<OutboxMail>, Error> {
        self.write(Plan::STEP, (now, held_until), |c, (now, until)| Box::pin(outbox::claim(c, *now, *until))).await
    }

    async fn finish_mail(&self, id: Uuid) -> Result<(), Error> {
        self.write(Plan::STEP.urgent(), id, |c, id| Box::pin(outbox::finish(c, *id))).await
    }

    async fn postpone_mail(&self, id: Uuid, due_at: Timestamp) -> Result<(), Error> {
        self.write(Plan::STEP, (id, due_at), |c, (id, due)| Box::pin(outbox::postpone(c, *id, *due))).await
    }
}
