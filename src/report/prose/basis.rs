//! The documents that a report rests on, as its chapter on the law lists them.

use crate::model::{Lang, Report};

/// A document with the clauses that a report cites.
pub(in crate::report) struct Document<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) scope: &'a str,
    /// A clause, what it says, the functions and duties it is cited for.
    pub(in crate::report) clauses: Vec<(&'a str, &'a str, Vec<&'a str>)>,
}

/// The documents that findings and duties rest on, each once, in the order in which they are cited.
pub(in crate::report) fn documents(lang: Lang, report: &Report) -> Vec<Document<'_>> {
    let findings = report.findings.iter().map(|f| (lang.pick(&f.title, &f.title_en), &f.basis));
    let duties = report.duties.iter().map(|d| (lang.pick(&d.title, &d.title_en), &d.basis));
    let mut documents: Vec<Document<'_>> = Vec::new();
    for (title, basis) in findings.chain(duties) {
        for clause in basis {
            let name: &str = lang.pick(&clause.document, &clause.document_en);
            let scope: &str = lang.pick(&clause.scope, &clause.scope_en);
            let at = documents.iter().position(|document| document.name == name && document.scope == scope);
            let at = at.unwrap_or_else(|| {
                documents.push(Document { name, scope, clauses: Vec::new() });
                documents.len() - 1
            });
            let (cited, text): (&str, &str) =
                (lang.pick(&clause.clause, &clause.clause_en), lang.pick(&clause.text, &clause.text_en));
            let clauses = &mut documents[at].clauses;
            match clauses.iter_mut().find(|(known, said, _)| *known == cited && *said == text) {
                None => clauses.push((cited, text, vec![title])),
                Some((_, _, titles)) if titles.contains(&title) => {}
                Some((_, _, titles)) => titles.push(title),
            }
        }
    }
    documents
}
