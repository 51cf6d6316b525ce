//! Versioned documents in SQL.

use sqlx::AnyConnection;
use sqlx::any::AnyRow;

use super::fault::Fault;
use super::row;
use crate::error::Error;
use crate::store::directory::Document;

/// One document.
pub(super) async fn find(connection: &mut AnyConnection, kind: &str, id: &str) -> Result<Option<Document>, Fault> {
    let rows = sqlx::query("SELECT kind, id, parent, version, body FROM documents WHERE kind = $1 AND id = $2")
        .bind(kind)
        .bind(id)
        .fetch_all(connection)
        .await?;
    rows.first().map(document).transpose()
}

/// All documents of a kind under a parent, by id.
pub(super) async fn list(connection: &mut AnyConnection, kind: &str, parent: &str) -> Result<Vec<Document>, Fault> {
    let rows = sqlx::query("SELECT kind, id, parent, version, body FROM documents WHERE kind = $1 AND parent = $2")
        .bind(kind)
        .bind(parent)
        .fetch_all(connection)
        .await?;
    let mut documents = rows.iter().map(document).collect::<Result<Vec<_>, _>>()?;
    // Sorted here, because the databases sort text differently.
    documents.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(documents)
}

/// Makes a document with version 1; false when there is one.
pub(super) async fn create(connection: &mut AnyConnection, document: &Document) -> Result<bool, Fault> {
    let made = sqlx::query(
        "INSERT INTO documents (kind, id, parent, version, body) VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING",
    )
    .bind(&document.kind)
    .bind(&document.id)
    .bind(&document.parent)
    .bind(&document.body)
    .execute(connection)
    .await?;
    Ok(made.rows_affected() == 1)
}

/// Writes a document if nobody else did since; answers the new version.
pub(super) async fn update(connection: &mut AnyConnection, document: &Document) -> Result<i64, Fault> {
    let rows = sqlx::query(
        "UPDATE documents SET parent = $1, body = $2, version = version + 1 \
         WHERE kind = $3 AND id = $4 AND version = $5 RETURNING version",
    )
    .bind(&document.parent)
    .bind(&document.body)
    .bind(&document.kind)
    .bind(&document.id)
    .bind(document.version)
    .fetch_all(connection)
    .await?;
    row::integer(rows.first().ok_or(Error::Conflict)?, "version")
}

/// Deletes a document; false when there was none.
pub(super) async fn delete(connection: &mut AnyConnection, kind: &str, id: &str) -> Result<bool, Fault> {
    let query = sqlx::query("DELETE FROM documents WHERE kind = $1 AND id = $2").bind(kind).bind(id);
    Ok(query.execute(connection).await?.rows_affected() == 1)
}

/// Deletes some documents of a kind under a parent; answers how many.
pub(super) async fn delete_some(
    connection: &mut AnyConnection,
    kind: &str,
    parent: &str,
    limit: u32,
) -> Result<u64, Fault> {
    let query = sqlx::query(
        "DELETE FROM documents WHERE kind = $1 AND id IN \
         (SELECT id FROM documents WHERE kind = $1 AND parent = $2 LIMIT $3)",
    );
    Ok(query.bind(kind).bind(parent).bind(i64::from(limit)).execute(connection).await?.rows_affected())
}

fn document(row: &AnyRow) -> Result<Document, Fault> {
    Ok(Document {
        kind: row::text(row, "kind")?,
        id: row::text(row, "id")?,
        parent: row::text(row, "parent")?,
        version: row::integer(row, "version")?,
        body: row::text(row, "body")?,
    })
}
