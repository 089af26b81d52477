//! Lists of targets in another order than that of their keys.

use sqlx::{AssertSqlSafe, Row};

use super::store::{Ledger, LedgerError};
use super::view::{Listed, Wanted, bound, listed};

/// By what a list is ordered; among equals by key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Gravest colour first.
    Code,
    /// Name.
    Name,
    /// Latest turn first.
    Since,
    /// Earliest deadline first, then those without.
    Deadline,
    /// Region.
    Region,
    /// Most confirmed findings first.
    Confirmed,
}

impl Order {
    /// The expression that is ordered by, as a text: numbers are padded, so that they are ordered as texts.
    fn expression(self) -> &'static str {
        match self {
            Order::Code => {
                "CASE code WHEN 'red' THEN '0' WHEN 'blue' THEN '1' WHEN 'none' THEN '2' ELSE '3' END"
            }
            Order::Name => "name",
            // Of nineteen digits, as are their differences to the largest number.
            Order::Since => {
                "substr('0000000000000000000', 1, 19 - length(CAST(9223372036854775807 - since AS TEXT))) \
                             || CAST(9223372036854775807 - since AS TEXT)"
            }
            Order::Deadline => "CASE deadline WHEN '' THEN '9999' ELSE deadline END",
            Order::Region => "region",
            Order::Confirmed => {
                "CASE WHEN confirmed > 999 THEN '000' \
                                 ELSE substr('000', 1, 3 - length(CAST(999 - confirmed AS TEXT))) \
                                 || CAST(999 - confirmed AS TEXT) END"
            }
        }
    }
}

/// Where an ordered list goes on: behind which value and key.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Behind(String, String);

impl Ledger {
    /// Targets in an order, behind a row, at most so many; with where the list goes on, if it does.
    pub async fn sorted(
        &self,
        wanted: &Wanted,
        order: Order,
        behind: Option<&Behind>,
        limit: u32,
    ) -> Result<(Vec<Listed>, Option<Behind>), LedgerError> {
        let by = order.expression();
        let (conditions, texts) = wanted.conditions(3);
        let from = if behind.is_some() {
            format!("(({by}) > $1 OR (({by}) = $1 AND target > $2))")
        } else {
            // Both are bound, whether they matter or not.
            "($1 = $1 AND $2 = $2)".to_owned()
        };
        let sql = format!(
            "SELECT document, confirmed, suspected, deadline, name, {by} AS place, target FROM view \
             WHERE {from}{conditions} ORDER BY place, target LIMIT $3"
        );
        let Behind(value, target) = behind.cloned().unwrap_or_default();
        let query = sqlx::query(AssertSqlSafe(sql)).bind(value).bind(target).bind(i64::from(limit) + 1);
        let mut rows = bound(query, texts).fetch_all(self.pool()).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = match rows.last().filter(|_| more) {
            Some(row) => Some(Behind(row.try_get(5)?, row.try_get(6)?)),
            None => None,
        };
        Ok((rows.iter().map(listed).collect::<Result<_, _>>()?, next))
    }
}
