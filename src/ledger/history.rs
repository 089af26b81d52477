//! The codes of a target over time: what the fold gives after each event and at each day that changes something.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::fact::Fact;
use super::policy::Policy;
use super::standing::{Recorded, Standing, in_order};
use crate::model::CodeSuggestion;

/// A code and what makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Coded {
    /// Since when it is so.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// The code, its state, and the sentences of the policy.
    pub code: CodeSuggestion,
    /// Numbers of the events that made it so, in order.
    pub events: Vec<u64>,
}

impl Coded {
    fn of(standing: &Standing, policy: &Policy, at: Timestamp) -> Self {
        let found = standing.facts(policy, at);
        let facts = found.facts();
        let mut events = BTreeSet::new();
        for clause in policy.decide(facts) {
            let grounds = policy.grounds(clause, facts);
            events.extend(grounds.iter().flat_map(|fact| found.events(*fact)));
            // Green is what a scan did not find.
            if grounds.contains(&Fact::Filed) {
                events.extend(standing.scan_event());
            }
        }
        Coded { since: at, code: policy.code(facts), events: events.into_iter().collect() }
    }

    /// Whether a person would call it the same: colour and deciding clause.
    fn is_like(&self, other: &Coded) -> bool {
        let clause = |coded: &Coded| coded.code.reasons.first().map(|reason| reason.id.clone());
        self.code.suggested == other.code.suggested && clause(self) == clause(other)
    }
}

/// What is true of a target at a moment, and the way there.
#[derive(Debug, Clone)]
pub struct History {
    /// Every code in its turn, the present one last; empty before the first event.
    pub codes: Vec<Coded>,
    /// What is true at the end.
    pub standing: Standing,
}

impl History {
    /// The codes of a target until a moment. `events` are all events of the target, in any order.
    pub fn of(policy: &Policy, events: &[Recorded], until: Timestamp) -> Self {
        let mut history = History { codes: Vec::new(), standing: Standing::default() };
        let ordered = in_order(events);
        let mut ordered = ordered.into_iter().take_while(|r| r.event.at <= until).peekable();
        while let Some(recorded) = ordered.next() {
            history.standing.apply(recorded);
            let at = recorded.event.at;
            // What happened at one moment is looked at together.
            if ordered.peek().is_some_and(|next| next.event.at == at) {
                continue;
            }
            history.note(policy, at);
            let end = ordered.peek().map(|next| next.event.at);
            for turn in history.standing.turns(policy) {
                if turn > at && turn <= until && end.is_none_or(|end| turn < end) {
                    history.note(policy, turn);
                }
            }
        }
        history
    }

    fn note(&mut self, policy: &Policy, at: Timestamp) {
        let coded = Coded::of(&self.standing, policy, at);
        match self.codes.last_mut() {
            // Other reasons may join the one that decides.
            Some(last) if last.is_like(&coded) => last.code = coded.code,
            _ => self.codes.push(coded),
        }
    }

    /// The present code.
    pub fn present(&self) -> Option<&Coded> {
        self.codes.last()
    }
}
