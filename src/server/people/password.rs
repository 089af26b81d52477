//! Passwords: Argon2id (RFC 9106) with the parameters of the OWASP Password Storage Cheat Sheet (19 MiB, two passes,
//! one lane), in PHC form.

use std::sync::OnceLock;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use axum::http::StatusCode;
use tokio::sync::Semaphore;

use crate::server::Problem;

/// Passwords that are hashed at a time: each takes 19 MiB and a core.
const AT_A_TIME: usize = 2;
/// How long one waits for its turn.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Characters of a password.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=200;

/// What a password is compared with where there is nobody of the name, so that it takes as long.
static NOBODY: OnceLock<String> = OnceLock::new();

pub(super) struct Passwords(Semaphore);

impl Passwords {
    pub(super) fn new() -> Self {
        Passwords(Semaphore::new(AT_A_TIME))
    }

    /// The hash of a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, Problem> {
        self.work(move || hash(&password)).await?.ok_or_else(Problem::internal)
    }

    /// Whether a password is the one of a hash. Without a hash it is never, and that takes as long.
    pub(super) async fn holds(&self, password: String, stored: Option<String>) -> Result<bool, Problem> {
        self.work(move || {
            let known = stored.is_some();
            let stored = stored.unwrap_or_else(|| {
                NOBODY.get_or_init(|| hash("nobody has this password").unwrap_or_default()).clone()
            });
            let Ok(stored) = PasswordHash::new(&stored) else { return false };
            let same = argon2().is_some_and(|by| by.verify_password(password.as_bytes(), &stored).is_ok());
            same && known
        })
        .await
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let turn = tokio::time::timeout(LONGEST_WAIT, self.0.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            let busy = ("登录请求过多，请稍后重试", "too many people log in, try again later");
            return Err(Problem::new("busy", StatusCode::SERVICE_UNAVAILABLE, busy).after(5));
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Option<String> {
    Some(argon2()?.hash_password(password.as_bytes()).ok()?.to_string())
}

/// Refuses a password that is too short, too long, or the name.
pub(super) fn fit(password: &str, name: &str) -> Result<(), Problem> {
    if LENGTH.contains(&password.chars().count()) && !password.to_lowercase().contains(&name.to_lowercase()) {
        return Ok(());
    }
    let words =
        ("密码应为 10 至 200 个字符，且不含用户名", "a password has 10 to 200 characters and no name in it");
    Err(Problem::new("password", StatusCode::UNPROCESSABLE_ENTITY, words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_kept_as_owasp_says() {
        let passwords = Passwords::new();
        let hash = passwords.hash("指尖上的形式主义".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.holds("指尖上的形式主义".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.holds("指尖上的形式主义。".into(), Some(hash.clone())).await.unwrap());
        assert_ne!(hash, passwords.hash("指尖上的形式主义".into()).await.unwrap(), "salted");
        assert!(!passwords.holds("nobody has this password".into(), None).await.unwrap());
        assert!(!passwords.holds(String::new(), Some("no hash".into())).await.unwrap());
    }
}
