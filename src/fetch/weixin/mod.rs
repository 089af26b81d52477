//! The posts of a WeChat account by the platform's own interface, on the authority of the account's owner, who gave
//! the credential. The address of an account is `weixin-api:` and its AppID.
//!
//! 获取已发布的消息列表: <https://developers.weixin.qq.com/doc/service/api/public/api_freepublish_batchget>;
//! 获取稳定版接口调用凭据: <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>.
//! The list holds what was published without notice to the followers (发布), not what was sent to them (群发).
//!
//! The pages of the list are joined into one document of the same shape, which is kept in the store under the
//! address of the account. Secret and token are in requests and in memory, and nowhere else.

mod quota;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;
use std::time::{Duration, Instant};

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;
use url::Url;

use self::quota::{Call, Quota};
use super::client::{Ask, Client, Got, Page, Secret, Validators};
use super::error::FetchError;
use super::store::{Known, Store};
use crate::decode::{json as document, wxapkg_cipher::is_appid};
use crate::model::Lang;

/// Scheme of the addresses.
const SCHEME: &str = "weixin-api";
const SERVICE: &str = "https://api.weixin.qq.com";
/// Posts in one answer, at most.
const COUNT: usize = 20;
/// Larger lists are cut; the newest posts come first.
const MOST_BYTES: usize = 48 << 20;
/// A token is given up so long before it expires.
const MARGIN: Duration = Duration::from_secs(60);

/// Why there are no posts.
#[derive(Debug, Error)]
pub enum WeixinError {
    /// No answer.
    #[error("{0}")]
    Fetch(#[from] FetchError),
    /// No address of an account.
    #[error("{0}: an account is weixin-api: and its AppID (wx and 16 lower-case hexadecimal digits)")]
    Address(Box<Url>),
    /// A service of the own network that the configuration does not allow: it would be given the secret.
    #[error("{0}: secrets are given to the platform and to hosts of fetch.allow only")]
    Service(String),
    /// The environment holds no credential.
    #[error("no credential: set {secret} (AppSecret) or {token} (access_token)")]
    NoCredential {
        /// Name of the variable of the secret.
        secret: String,
        /// Name of the variable of the token.
        token: String,
    },
    /// The calls of the day are used up.
    #[error("the {most} calls of the day are used up until {until} 00:00, Beijing time")]
    Quota {
        /// Calls a day.
        most: u32,
        /// When there are new ones.
        until: Date,
    },
    /// The platform refuses.
    #[error("{} (errcode {code}: {message})", meaning(*.code).1)]
    Refused {
        /// `errcode`.
        code: i64,
        /// `errmsg`, without secrets.
        message: String,
    },
    /// The answer has another shape than documented.
    #[error("the answer of the interface is not as documented: {0}")]
    Shape(String),
    /// Calls cannot be counted, so none is made.
    #[error("{path}: calls of the day cannot be counted, so none is made ({cause})")]
    Counter {
        /// The file.
        path: String,
        /// What happened.
        cause: io::Error,
    },
}

impl WeixinError {
    /// What happened, in a language.
    pub fn words(&self, lang: Lang) -> String {
        match self {
            WeixinError::Fetch(error) => error.words(lang),
            _ if lang == Lang::En => self.to_string(),
            WeixinError::Address(url) => {
                format!("{url}：账号地址应为 weixin-api: 加 AppID（wx 加 16 位小写十六进制数字）")
            }
            WeixinError::Service(host) => {
                format!("{host}：密钥只交给微信公众平台和 fetch.allow 所列主机")
            }
            WeixinError::NoCredential { secret, token } => {
                format!("没有凭证：请设置环境变量 {secret}（AppSecret）或 {token}（access_token）")
            }
            WeixinError::Quota { most, until } => {
                format!("当日 {most} 次调用额度已用完，北京时间 {until} 00:00 起恢复")
            }
            WeixinError::Refused { code, message } => {
                format!("{}（errcode {code}：{message}）", meaning(*code).0)
            }
            WeixinError::Shape(field) => format!("接口答复与文档不符：{field}"),
            WeixinError::Counter { path, cause } => {
                format!("{path}：无法记录当日调用次数，未作调用（{cause}）")
            }
        }
    }
}

/// What a code says. 全局返回码: <https://developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode>.
fn meaning(code: i64) -> (&'static str, &'static str) {
    match code {
        -1 => ("微信平台繁忙，请稍后再试", "the platform is busy, try again later"),
        40001 | 40014 | 42001 => {
            ("access_token 或 AppSecret 无效或已过期", "access_token or AppSecret is wrong or has expired")
        }
        40013 => ("AppID 无效", "the AppID is wrong"),
        40125 => ("AppSecret 无效", "the AppSecret is wrong"),
        40164 => (
            "本机 IP 不在该账号的 IP 白名单内",
            "the address of this machine is not in the account's list of allowed IPs",
        ),
        40243 => ("AppSecret 已被冻结", "the AppSecret is frozen"),
        45011 => ("调用过于频繁，请稍后再试", "called too often, try again later"),
        48001 | 48004 => (
            "该账号未经微信认证，或未获得发布能力接口权限",
            "the account is not verified, or not authorised for this interface",
        ),
        50002 | 50004 | 50007 => ("该账号已被限制或冻结", "the account is restricted or frozen"),
        _ => ("微信平台拒绝", "the platform refuses"),
    }
}

/// Whether an address is one of this interface.
pub fn is_weixin(url: &Url) -> bool {
    url.scheme() == SCHEME
}

/// Where requests for an address go: the platform or a gateway for one of this interface, else the address itself.
pub fn asked(url: &Url) -> Cow<'_, Url> {
    match Account::of(url) {
        Ok(account) => Cow::Owned(account.service),
        Err(_) => Cow::Borrowed(url),
    }
}

/// An account and where its interface is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// AppID.
    pub appid: String,
    /// The platform, or a gateway to it in the own network: `weixin-api://gateway.example.gov.cn:8080/wx…`.
    pub service: Url,
}

impl Account {
    /// The account of an address.
    pub fn of(url: &Url) -> Result<Self, WeixinError> {
        Account::read(url).ok_or_else(|| WeixinError::Address(Box::new(url.clone())))
    }

    fn read(url: &Url) -> Option<Self> {
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !is_weixin(url) || !plain || url.fragment().is_some() {
            return None;
        }
        let (service, appid) = match url.host_str() {
            None => (SERVICE.to_owned(), url.path()),
            Some(host) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                (format!("http://{host}{port}"), url.path().strip_prefix('/')?)
            }
        };
        let appid = Some(appid).filter(|appid| is_appid(appid))?.to_owned();
        Some(Account { appid, service: Url::parse(&service).ok()? })
    }

    fn ask(&self, path: &str, body: &Value) -> Result<Ask, WeixinError> {
        let at = self.service.join(path).map_err(|error| WeixinError::Shape(error.to_string()))?;
        Ok(Ask::at(at).post("application/json", body.to_string().into_bytes()))
    }
}

/// By what the owner of an account lets it be read.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An access token that somebody else renews.
    Token(Secret),
    /// The AppSecret, for which tokens are given.
    Secret(Secret),
}

impl Credential {
    /// The one in the environment: `ZHIJIAN_WEIXIN_SECRET_WX0123456789ABCDEF` or `ZHIJIAN_WEIXIN_TOKEN_…`, so that
    /// none is ever used for another account.
    pub fn from_environment(account: &Account) -> Result<Self, WeixinError> {
        let name = |what: &str| format!("ZHIJIAN_WEIXIN_{what}_{}", account.appid.to_ascii_uppercase());
        let (secret, token) = (name("SECRET"), name("TOKEN"));
        let held = |name: &str| {
            let text = std::env::var(name).ok()?.trim().to_owned();
            (!text.is_empty()).then(|| Secret::new(text))
        };
        match (held(&secret), held(&token)) {
            (Some(secret), _) => Ok(Credential::Secret(secret)),
            (None, Some(token)) => Ok(Credential::Token(token)),
            (None, None) => Err(WeixinError::NoCredential { secret, token }),
        }
    }
}

/// Fetches the posts of an account into the store.
pub async fn posts(
    client: &Client,
    store: &Store,
    url: &Url,
    credential: &Credential,
) -> Result<Known, WeixinError> {
    let account = Account::of(url)?;
    if url.has_host() && !client.is_exception(&account.service) {
        return Err(WeixinError::Service(account.service.authority().to_owned()));
    }
    let quota = Quota::of(store, &account.appid);
    let mut session = Session { client, account, quota, credential, token: None, renewed: false };
    let mut list = List::default();
    let mut count = COUNT;
    loop {
        match session.page(list.offset, count).await {
            Ok(answer) => {
                if list.add(answer, count)? {
                    break;
                }
            }
            Err(WeixinError::Fetch(FetchError::TooLarge { .. })) if count > 1 => count /= 4,
            // What is there is kept: the newest posts come first.
            Err(error @ (WeixinError::Quota { .. } | WeixinError::Fetch(FetchError::TooLarge { .. })))
                if list.offset > 0 =>
            {
                let zh = format!("{}，其后的发布内容未取", error.words(Lang::Zh));
                list.lack(zh, format!("{error}; later posts of the list were not fetched"));
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let text = session.mask(&list.document(&session.account.appid)?);
    let page = Page {
        url: url.clone(),
        bytes: text.into_bytes(),
        content_type: Some("application/json; charset=utf-8".to_owned()),
        validators: Validators::default(),
    };
    Ok(store.keep(url, &page).map_err(FetchError::from)?)
}

/// The same, by the credential in the environment.
pub async fn posts_by_environment(client: &Client, store: &Store, url: &Url) -> Result<Known, WeixinError> {
    let credential = Credential::from_environment(&Account::of(url)?)?;
    posts(client, store, url, &credential).await
}

/// The conversation about one account.
struct Session<'a> {
    client: &'a Client,
    account: Account,
    quota: Quota,
    credential: &'a Credential,
    token: Option<(Secret, Instant)>,
    /// A token was refused and another one asked for, which is done once.
    renewed: bool,
}

impl Session<'_> {
    /// A page of the list.
    async fn page(&mut self, offset: u64, count: usize) -> Result<Value, WeixinError> {
        loop {
            let token = self.token().await?;
            let body = json!({ "offset": offset, "count": count, "no_content": 0 });
            let ask = self.account.ask("/cgi-bin/freepublish/batchget", &body)?.secret("access_token", token);
            match self.call(Call::List, &ask).await {
                Err(WeixinError::Refused { code: 40001 | 40014 | 42001, .. })
                    if matches!(self.credential, Credential::Secret(_)) && !self.renewed =>
                {
                    self.renewed = true;
                    self.token = None;
                }
                done => return done,
            }
        }
    }

    /// A token that holds.
    async fn token(&mut self) -> Result<Secret, WeixinError> {
        let secret = match self.credential {
            Credential::Token(token) => return Ok(token.clone()),
            Credential::Secret(secret) => secret,
        };
        if let Some((token, until)) = &self.token
            && Instant::now() < *until
        {
            return Ok(token.clone());
        }
        let body = json!({
            "grant_type": "client_credential", "appid": self.account.appid, "secret": secret.reveal()
        });
        let ask = self.account.ask("/cgi-bin/stable_token", &body)?;
        let answer = self.call(Call::Token, &ask).await?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let sound = |token: &&str| !token.is_empty() && token.len() <= 4_096;
        let token = Secret::new(token.filter(sound).ok_or_else(|| shape("access_token"))?);
        let seconds = answer.get("expires_in").and_then(number).ok_or_else(|| shape("expires_in"))?;
        // At least five minutes and at most two hours, by the documentation.
        let until = Instant::now() + Duration::from_secs(seconds.clamp(300, 7_200)) - MARGIN;
        self.token = Some((token.clone(), until));
        Ok(token)
    }

    /// One call; every attempt is counted before it is made.
    async fn call(&self, call: Call, ask: &Ask) -> Result<Value, WeixinError> {
        let attempt = async || match self.quota.take(call) {
            Ok(()) => Ok(Ok(self.client.page_once(ask).await?)),
            Err(error) => Ok(Err(error)),
        };
        let (got, _room) = self.client.retrying(attempt).await??;
        let Got::Page(page) = got else { return Err(shape("an answer")) };
        let answer = document::bounded(&page.bytes).map_err(|_| shape("JSON"))?;
        match answer.get("errcode").map(|code| (code, code.as_i64())) {
            None | Some((_, Some(0))) => Ok(answer),
            Some((_, Some(45009))) => Err(self.quota.exhaust(call)?),
            Some((code, number)) => {
                let number =
                    number.or_else(|| code.as_str()?.parse().ok()).ok_or_else(|| shape("errcode"))?;
                let message = answer.get("errmsg").and_then(Value::as_str).unwrap_or_default();
                let message = self.mask(message).chars().filter(|ch| !ch.is_control()).take(200).collect();
                Err(WeixinError::Refused { code: number, message })
            }
        }
    }

    /// A text from outside, which may repeat what it was told.
    fn mask(&self, text: &str) -> String {
        let (Credential::Token(own) | Credential::Secret(own)) = self.credential;
        let secrets = self.token.iter().map(|(token, _)| token).chain([own]);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.reveal(), "***"))
    }
}

fn shape(field: &str) -> WeixinError {
    WeixinError::Shape(field.to_owned())
}

/// A number, also one that is written as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// What is not in a list.
#[derive(Debug, Serialize)]
struct Lack {
    zh: String,
    en: String,
}

/// The pages of a list, joined.
#[derive(Debug, Default)]
struct List {
    items: Vec<Value>,
    seen: HashSet<String>,
    offset: u64,
    total: u64,
    bytes: usize,
    lacks: Vec<Lack>,
}

impl List {
    /// Adds a page of which so many posts were asked for, and says whether it is the last.
    fn add(&mut self, mut answer: Value, asked: usize) -> Result<bool, WeixinError> {
        self.total = answer.get("total_count").and_then(number).ok_or_else(|| shape("total_count"))?;
        let told = answer.get("item_count").and_then(number);
        let Some(Value::Array(items)) = answer.get_mut("item").map(Value::take) else {
            return Err(shape("item"));
        };
        let got = items.len();
        if told != Some(got as u64) {
            let told = told.map_or("-".to_owned(), |told| told.to_string());
            self.lack(
                format!("接口称本页有 {told} 条发布内容，实有 {got} 条"),
                format!("the interface speaks of {told} posts in a page of {got}"),
            );
        }
        self.offset += got as u64;
        let mut new = 0;
        for item in items {
            let text = item.to_string();
            let id = item.get("article_id").and_then(Value::as_str).map(str::to_owned);
            // A post that is published meanwhile moves the others on, so that some come twice.
            if !self.seen.insert(id.unwrap_or_else(|| text.clone())) {
                continue;
            }
            new += 1;
            self.bytes += text.len();
            if self.bytes > MOST_BYTES {
                let (zh, en) =
                    ("发布内容超过上限，其余未取", "more posts than are kept; the rest was not fetched");
                self.lack(zh, en);
                return Ok(true);
            }
            self.items.push(item);
        }
        let rest = self.total.saturating_sub(self.offset);
        if got > 0 && new == 0 {
            let (zh, en) = (
                "接口重复给出相同的发布内容，其余未取",
                "the interface gives the same posts again; the rest was not fetched",
            );
            self.lack(zh, en);
            return Ok(true);
        }
        if got == 0 && rest > 0 {
            self.lack(
                format!("接口称还有 {rest} 条发布内容，但未给出"),
                format!("the interface speaks of {rest} more posts and does not give them"),
            );
        }
        if self.offset > self.total && got > 0 {
            let (total, offset) = (self.total, self.offset);
            self.lack(
                format!("接口称共有 {total} 条发布内容，已给出 {offset} 条"),
                format!("the interface speaks of {total} posts and gives {offset}"),
            );
            return Ok(got < asked);
        }
        Ok(got == 0 || rest == 0)
    }

    fn lack(&mut self, zh: impl Into<String>, en: impl Into<String>) {
        self.lacks.push(Lack { zh: zh.into(), en: en.into() });
    }

    /// The whole list, in the shape of a page of it.
    fn document(&self, appid: &str) -> Result<String, WeixinError> {
        #[derive(Serialize)]
        struct Document<'a> {
            appid: &'a str,
            total_count: u64,
            item_count: usize,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            missing: &'a [Lack],
            item: &'a [Value],
        }
        let (total_count, item_count) = (self.total, self.items.len());
        let whole = Document { appid, total_count, item_count, missing: &self.lacks, item: &self.items };
        serde_json::to_string(&whole).map_err(|error| WeixinError::Shape(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(address: &str) -> Option<(String, String)> {
        Account::read(&Url::parse(address).unwrap())
            .map(|account| (account.appid, account.service.to_string()))
    }

    #[test]
    fn addresses() {
        let appid = "wx0123456789abcdef".to_owned();
        let of = |service: &str| Some((appid.clone(), service.to_owned()));
        assert_eq!(account("weixin-api:wx0123456789abcdef"), of("https://api.weixin.qq.com/"));
        assert_eq!(account("weixin-api://127.0.0.1:80/wx0123456789abcdef"), of("http://127.0.0.1/"));
        for bad in [
            "weixin-api:gh_0123456789ab",
            "weixin-api:wx0123456789ABCDEF",
            "weixin-api:wx0123456789abcdef?a=b",
            "weixin-api://u:p@h/wx0123456789abcdef",
            "weixin-api://h/a/wx0123456789abcdef",
            "https://api.weixin.qq.com/wx0123456789abcdef",
        ] {
            assert_eq!(account(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_credential_is_that_of_the_account() {
        let account = Account::of(&Url::parse("weixin-api:wx00000000000000ff").unwrap()).unwrap();
        let error = Credential::from_environment(&account).unwrap_err();
        let words = error.words(Lang::Zh);
        assert!(words.contains("ZHIJIAN_WEIXIN_SECRET_WX00000000000000FF"), "{words}");
        assert!(words.contains("ZHIJIAN_WEIXIN_TOKEN_WX00000000000000FF"), "{words}");
    }
}
