//! Columns as domain values: whole numbers and text, read with their names in the fault.

use sqlx::Row as _;
use sqlx::any::AnyRow;
use uuid::Uuid;

use super::fault::Fault;
use crate::clock::Timestamp;
use crate::crypto;

/// The places of so many rows in a statement: `($1, $2), ($3, $4)`.
pub(super) fn places(rows: usize, columns: usize) -> String {
    let row = |row| {
        let places: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// A text.
pub(super) fn text(row: &AnyRow, column: &str) -> Result<String, Fault> {
    Ok(row.try_get(column)?)
}

/// A text that may be absent.
pub(super) fn optional_text(row: &AnyRow, column: &str) -> Result<Option<String>, Fault> {
    Ok(row.try_get(column)?)
}

/// A whole number.
pub(super) fn integer(row: &AnyRow, column: &str) -> Result<i64, Fault> {
    Ok(row.try_get(column)?)
}

/// A whole number that may be absent.
pub(super) fn optional_integer(row: &AnyRow, column: &str) -> Result<Option<i64>, Fault> {
    Ok(row.try_get(column)?)
}

/// A whole number that is never negative, in the width it has in the domain.
pub(super) fn count<N: TryFrom<i64>>(row: &AnyRow, column: &'static str) -> Result<N, Fault> {
    N::try_from(integer(row, column)?).map_err(|_| Fault::unreadable(column))
}

/// A flag.
pub(super) fn flag(row: &AnyRow, column: &str) -> Result<bool, Fault> {
    Ok(integer(row, column)? != 0)
}

/// An instant.
pub(super) fn time(row: &AnyRow, column: &str) -> Result<Timestamp, Fault> {
    integer(row, column).map(Timestamp)
}

/// A UUID.
pub(super) fn uuid(row: &AnyRow, column: &'static str) -> Result<Uuid, Fault> {
    parse_uuid(&text(row, column)?, column)
}

/// A UUID that may be absent.
pub(super) fn optional_uuid(row: &AnyRow, column: &'static str) -> Result<Option<Uuid>, Fault> {
    optional_text(row, column)?.map(|text| parse_uuid(&text, column)).transpose()
}

fn parse_uuid(text: &str, column: &'static str) -> Result<Uuid, Fault> {
    Uuid::parse_str(text).map_err(|_| Fault::unreadable(column))
}

/// Bytes.
pub(super) fn bytes(row: &AnyRow, column: &'static str) -> Result<Vec<u8>, Fault> {
    crypto::decode(&text(row, column)?).ok_or_else(|| Fault::unreadable(column))
}
