//! What others are told of new events of a target.

use jiff::Timestamp;

use super::document::code_document;
use super::history::History;
use super::policy::Policy;
use super::standing::Recorded;
use crate::model::CodeDocument;
use crate::outbox::Notice;

/// What is told, and what codes say besides what the ledger knows.
pub struct Teller<'a> {
    /// The policy by which codes are made.
    pub policy: &'a Policy,
    /// What is wanted, by [`Notice::event`].
    pub wanted: &'a [String],
    /// Gives a code the address of its report.
    pub addressed: &'a (dyn Fn(CodeDocument) -> CodeDocument + Sync),
    /// For what moment codes are computed.
    pub now: Timestamp,
}

impl Teller<'_> {
    /// The notices of the events of a target that are new: all but the first `before`.
    pub fn notices(&self, target: &str, all: &[Recorded], before: usize) -> Vec<Notice> {
        let (old, new) = all.split_at(before.min(all.len()));
        let recorded = new
            .iter()
            .map(|recorded| Notice::Recorded { seq: recorded.seq, record: Box::new(recorded.event.clone()) });
        let mut notices: Vec<Notice> = recorded.collect();
        let (was, is) = (History::of(self.policy, old, self.now), History::of(self.policy, all, self.now));
        let shown = |history: &History| {
            history.present().map(|coded| (coded.code.suggested, coded.code.state.clone()))
        };
        let previous = shown(&was).map(|(colour, _)| colour);
        if shown(&was) != shown(&is)
            && let Some(code) = code_document(target, all, &is, self.now)
        {
            let code = Box::new((self.addressed)(code));
            notices.push(Notice::CodeChanged { previous, code });
        }
        notices.retain(|notice| self.wanted.iter().any(|event| event == notice.event()));
        notices
    }
}
