//! Typed access to the Directory's versioned documents: the kinds there are, and reading and writing them as JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Kind};
use crate::store::directory::{Directory, Document};

/// The root secret, sealed under a master key.
pub(super) const ROOT: &str = "root";
/// Which pool and client were made at first start.
pub(super) const BOOTSTRAP: &str = "bootstrap";
/// Settings of a pool.
pub(super) const POOL: &str = "pool";
/// An app client; its parent is the pool.
pub(super) const CLIENT: &str = "client";
/// The signing keys of a pool, under the pool's id.
pub(super) const KEYS: &str = "keys";

/// A resource server; its parent is the pool.
pub(super) const RESOURCE_SERVER: &str = "resource_server";

/// An access key of the Cognito API.
pub(super) const ACCESS_KEY: &str = "access_key";

/// A job that imports users; its parent is the pool.
pub(super) const IMPORT_JOB: &str = "import_job";
/// The id of a job that may still have work or leftovers.
pub(super) const IMPORT_QUEUE: &str = "import_queue";
/// A part of a job's file, sealed; its parent is the upload.
pub(super) const IMPORT_PART: &str = "import_part";
/// Rows of a job that were not taken; its parent is the job.
pub(super) const IMPORT_FAULT: &str = "import_fault";

/// Times a change is tried again when somebody else was faster.
const CHANGE_TRIES: u32 = 8;

/// A document's content and the version it was read at.
pub(super) struct Versioned<T> {
    pub(super) version: i64,
    pub(super) content: T,
}

/// The JSON of `content`.
pub(super) fn write<T: Serialize>(content: &T) -> Result<String, Error> {
    serde_json::to_string(content).map_err(Error::internal)
}

/// The content of a document.
pub(super) fn parse<T: DeserializeOwned>(document: &Document) -> Result<Versioned<T>, Error> {
    let content = serde_json::from_str(&document.body)
        .map_err(|fault| Error::internal(format!("document {}/{}: {fault}", document.kind, document.id)))?;
    Ok(Versioned { version: document.version, content })
}

/// Reads one document.
pub(super) async fn read<T: DeserializeOwned>(
    directory: &dyn Directory,
    kind: &str,
    id: &str,
) -> Result<Option<Versioned<T>>, Error> {
    directory.document(kind, id).await?.as_ref().map(parse).transpose()
}

/// Makes a document; false when there is one already.
pub(super) async fn create<T: Serialize + Sync>(
    directory: &dyn Directory,
    kind: &str,
    id: &str,
    parent: &str,
    content: &T,
) -> Result<bool, Error> {
    let document = Document {
        kind: kind.to_owned(),
        id: id.to_owned(),
        parent: parent.to_owned(),
        version: 0,
        body: write(content)?,
    };
    directory.create_document(&document).await
}

/// Reads, changes and writes a document, again when somebody else was faster.
pub(super) async fn change<T: Serialize + DeserializeOwned + Send>(
    directory: &dyn Directory,
    kind: &str,
    id: &str,
    missing: Kind,
    apply: impl Fn(&mut T) -> Result<(), Error> + Send + Sync,
) -> Result<T, Error> {
    for _ in 0..CHANGE_TRIES {
        let mut document = directory.document(kind, id).await?.ok_or(Error::NotFound(missing))?;
        let mut content = parse::<T>(&document)?.content;
        apply(&mut content)?;
        document.body = write(&content)?;
        match directory.update_document(&document).await {
            Ok(_) => return Ok(content),
            Err(Error::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::Conflict)
}
