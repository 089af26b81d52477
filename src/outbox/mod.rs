//! Notices to other programs (webhooks), kept until they have arrived. A notice is written in the transaction of what it
//! tells of, so that neither is there without the other; sending comes later and as often as it takes.
//!
//! Every request is a `POST` of JSON with three headers of its own. A receiver recomputes the signature over the bytes it
//! got, refuses times that are too far from its own, and does nothing the second time it sees a key:
//!
//! ```text
//! Idempotency-Key: 5f0c…             the same for every attempt to deliver one notice
//! Zhijian-Event: code-changed
//! Zhijian-Signature: t=1795312800,v1=9b1d…
//!                    v1 = hex(HMAC-SHA256(secret, "1795312800" + "." + body))
//! ```
//!
//! Notices can arrive in another order than they were written: `as_of` of the code says which is the later.

mod delivery;
mod notice;
mod schedule;
mod send;

pub use delivery::{Delivery, DeliveryState, list, put, retry};
pub use notice::{NOTICE_SCHEMA, Notice, NoticeDocument};
pub use schedule::{next_attempt, wait};
pub use send::{Answer, OutboxError, Sender, Sent, judge, secret, send_due, signature};
