//! How often the interface was called today, so that the platform's daily quota is never exceeded: a file for each
//! account in the store, which every process counts in before it calls.
//!
//! Quotas: <https://developers.weixin.qq.com/doc/service/Message_Management/API_Call_Limits.html>. They begin anew at
//! midnight in Beijing.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::WeixinError;
use crate::fetch::store::{Store, write_whole};
use crate::model::beijing_day;

/// Calls that the platform counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    /// 获取 access_token.
    Token,
    /// 获取成功发布列表.
    List,
}

impl Call {
    /// Calls a day.
    pub(super) fn most(self) -> u32 {
        match self {
            Call::Token => 2_000,
            Call::List => 100,
        }
    }
}

/// What the file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    /// Day in Beijing.
    day: Date,
    token: u32,
    list: u32,
}

/// The counter of an account.
#[derive(Debug)]
pub(super) struct Quota {
    path: PathBuf,
}

impl Quota {
    pub(super) fn of(store: &Store, appid: &str) -> Self {
        Quota { path: store.root().join("weixin").join(format!("{appid}.json")) }
    }

    /// Counts a call that is about to be made, or says that none may be made any more today.
    pub(super) fn take(&self, call: Call) -> Result<(), WeixinError> {
        self.count(today(), |count| {
            let used = count.used(call);
            if *used >= call.most() {
                return false;
            }
            *used += 1;
            true
        })
        .and_then(|(taken, day)| if taken { Ok(()) } else { Err(exhausted(call, day)) })
    }

    /// The platform says that the quota is used up: others call for the same account, too.
    pub(super) fn exhaust(&self, call: Call) -> Result<WeixinError, WeixinError> {
        let used_up = |count: &mut Count| {
            *count.used(call) = call.most();
            true
        };
        self.count(today(), used_up).map(|(_, day)| exhausted(call, day))
    }

    /// Changes the count of a day, while no other process does.
    fn count(&self, today: Date, change: impl Fn(&mut Count) -> bool) -> Result<(bool, Date), WeixinError> {
        self.locked(today, change)
            .map_err(|error| WeixinError::Counter { path: self.path.display().to_string(), cause: error })
    }

    fn locked(&self, today: Date, change: impl Fn(&mut Count) -> bool) -> io::Result<(bool, Date)> {
        fs::create_dir_all(self.path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        let lock = File::options().create(true).append(true).open(self.path.with_extension("lock"))?;
        lock.lock()?;
        let fresh = Count { day: today, token: 0, list: 0 };
        // A file that cannot be read is no leave to begin anew.
        let known = match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => fresh,
            Err(error) => return Err(error),
        };
        // A clock that was set back gives no second day.
        let mut count = if known.day < today { fresh } else { known };
        let taken = change(&mut count);
        if count != known || taken {
            write_whole(&self.path, &serde_json::to_vec(&count)?)?;
        }
        Ok((taken, count.day))
    }
}

impl Count {
    fn used(&mut self, call: Call) -> &mut u32 {
        match call {
            Call::Token => &mut self.token,
            Call::List => &mut self.list,
        }
    }
}

fn today() -> Date {
    beijing_day(Timestamp::now())
}

fn exhausted(call: Call, day: Date) -> WeixinError {
    WeixinError::Quota { most: call.most(), until: day.tomorrow().unwrap_or(day) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(folder: &tempfile::TempDir) -> Quota {
        Quota::of(&Store::open(folder.path()).unwrap(), "wx0123456789abcdef")
    }

    #[test]
    fn no_call_too_many_by_any_number_of_callers() {
        let folder = tempfile::tempdir().unwrap();
        let taken: usize = std::thread::scope(|scope| {
            let callers: Vec<_> = (0..4)
                .map(|_| {
                    let quota = quota(&folder);
                    scope.spawn(move || (0..40).filter(|_| quota.take(Call::List).is_ok()).count())
                })
                .collect();
            callers.into_iter().map(|caller| caller.join().unwrap()).sum()
        });
        assert_eq!(taken, 100);
        let error = quota(&folder).take(Call::List).unwrap_err();
        assert!(matches!(error, WeixinError::Quota { most: 100, .. }), "{error}");
        quota(&folder).take(Call::Token).unwrap();
    }

    #[test]
    fn a_day_begins_at_midnight_in_beijing_and_none_comes_twice() {
        let folder = tempfile::tempdir().unwrap();
        let quota = quota(&folder);
        let day = |text: &str| text.parse::<Date>().unwrap();
        let take = |today: &str| {
            let change = |count: &mut Count| {
                *count.used(Call::List) += 1;
                true
            };
            quota.locked(day(today), change).unwrap();
            let text = fs::read_to_string(&quota.path).unwrap();
            serde_json::from_str::<Count>(&text).unwrap()
        };
        assert_eq!(take("2026-11-25"), Count { day: day("2026-11-25"), token: 0, list: 1 });
        assert_eq!(take("2026-11-25").list, 2);
        assert_eq!(take("2026-11-26"), Count { day: day("2026-11-26"), token: 0, list: 1 });
        assert_eq!(take("2026-11-25"), Count { day: day("2026-11-26"), token: 0, list: 2 });
    }

    #[test]
    fn a_damaged_count_is_no_leave_to_call() {
        let folder = tempfile::tempdir().unwrap();
        let quota = quota(&folder);
        quota.take(Call::List).unwrap();
        fs::write(&quota.path, "{\"day\":\"2026-").unwrap();
        let error = quota.take(Call::List).unwrap_err();
        assert!(matches!(error, WeixinError::Counter { .. }), "{error}");
    }
}
