//! Apps of bundled scripts: which page the modules of a bundle belong to.
//!
//! ```text
//! router table, __definePage ─▶ page ─▶ module of a bundle, imported file, variable ─▶ what that needs
//! ```
//!
//! A module that one page alone needs is part of that page; one that several need is nobody's.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::mini_program::{Config, Source, Unit, relative, route};
use crate::decode::js::{Reference, Route};

/// Modules looked at in one app; the rest stays without a page.
const MAX_NODES: usize = 200_000;
/// Bytes of a path that children go on from.
const MAX_PATH: usize = 200;
/// How far behind the path of a page the module is named in `__definePage`.
const DEFINITION: usize = 300;

/// A module, a variable that stands for one, or a file.
#[derive(Debug)]
struct Node {
    script: usize,
    range: Range<usize>,
    name: String,
}

/// To whom a node belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    Page(usize),
    Several,
}

/// Gives every script its units and the configuration the pages that router tables name.
pub(crate) fn divide(config: &mut Config, scripts: &mut [Source<'_>]) {
    for source in scripts.iter() {
        for (name, entry) in names(&source.script.routes).into_iter().zip(&source.script.routes) {
            config.add_route(name, entry.title.as_deref());
        }
    }
    let graph = Graph::new(config, scripts);
    let owners = graph.owners();
    let mut units: Vec<Vec<Unit>> = scripts.iter().map(|_| Vec::new()).collect();
    for (node, owner) in graph.nodes.iter().zip(&owners) {
        let page = match owner {
            Owner::Page(page) => config.pages.get(*page).cloned(),
            Owner::Nobody | Owner::Several => None,
        };
        // A variable of nobody is a part of the file like any other.
        let Some(name) = page.or_else(|| node.name.starts_with('#').then(|| node.name.clone())) else {
            continue;
        };
        units[node.script].push(Unit { name, range: node.range.clone(), entry: false });
    }
    for (source, mut units) in scripts.iter_mut().zip(units) {
        for (name, entry) in names(&source.script.routes).into_iter().zip(&source.script.routes) {
            units.push(Unit { name, range: entry.start..entry.end, entry: true });
        }
        source.units = flatten(units);
    }
}

/// The names of the pages of router entries: the path of a child goes on from that of its parent.
fn names(routes: &[Route<'_>]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(routes.len());
    for entry in routes {
        let path = entry.alias.as_deref().unwrap_or(&entry.path);
        let parent = entry.parent.and_then(|parent| names.get(parent as usize));
        names.push(match parent {
            Some(parent) if !path.starts_with('/') && parent.len() < MAX_PATH => {
                page_of(&format!("{}/{path}", parent.trim_end_matches('/')))
            }
            _ => page_of(path),
        });
    }
    names
}

/// The innermost router entry around an offset.
fn entry_at(routes: &[Route<'_>], offset: usize) -> Option<usize> {
    let mut at = routes.partition_point(|entry| entry.start <= offset).checked_sub(1);
    while let Some(index) = at {
        let entry = routes.get(index)?;
        if offset < entry.end {
            return at;
        }
        at = entry.parent.map(|parent| parent as usize).filter(|parent| *parent < index);
    }
    None
}

/// The name of a page by the path of its route.
fn page_of(path: &str) -> String {
    let page = route(path.trim_start_matches('#'));
    if page.is_empty() { "/".to_owned() } else { page.to_owned() }
}

/// Units in order, none in another: what is inside another cuts it in two.
fn flatten(mut units: Vec<Unit>) -> Vec<Unit> {
    units.sort_by_key(|unit| (unit.range.start, std::cmp::Reverse(unit.range.end)));
    let mut flat: Vec<Unit> = Vec::with_capacity(units.len());
    // Units that are open, the innermost last: what is left of each.
    let mut open: Vec<Unit> = Vec::new();
    let close = |open: &mut Vec<Unit>, flat: &mut Vec<Unit>, until: usize| {
        while let Some(unit) = open.pop_if(|unit| unit.range.end <= until) {
            let end = unit.range.end;
            if unit.range.start < end {
                flat.push(unit);
            }
            if let Some(outer) = open.last_mut() {
                outer.range.start = outer.range.start.max(end);
            }
        }
    };
    for unit in units {
        close(&mut open, &mut flat, unit.range.start);
        if let Some(outer) = open.last_mut() {
            if outer.range.start < unit.range.start {
                flat.push(Unit {
                    name: outer.name.clone(),
                    range: outer.range.start..unit.range.start,
                    entry: outer.entry,
                });
            }
            outer.range.start = unit.range.start;
        }
        open.push(unit);
    }
    close(&mut open, &mut flat, usize::MAX);
    flat.sort_by_key(|unit| unit.range.start);
    flat
}

struct Graph<'a, 'b> {
    scripts: &'b [Source<'a>],
    nodes: Vec<Node>,
    /// Nodes by script and name.
    named: HashMap<(usize, &'b str), usize>,
    /// Nodes by name, for modules that another script holds.
    anywhere: HashMap<&'b str, usize>,
    /// Files by their route.
    files: HashMap<String, usize>,
    roots: Vec<(usize, usize)>,
    /// Scripts that name the beginnings of pages, as router tables do: the whole of one is no page's, though the files
    /// of pages import it.
    tables: HashSet<usize>,
}

impl<'a, 'b> Graph<'a, 'b> {
    fn new(config: &Config, scripts: &'b [Source<'a>]) -> Self {
        let mut graph = Graph {
            scripts,
            nodes: Vec::new(),
            named: HashMap::new(),
            anywhere: HashMap::new(),
            files: HashMap::new(),
            roots: Vec::new(),
            tables: HashSet::new(),
        };
        for (at, source) in scripts.iter().enumerate() {
            let bundled = !source.script.bundled.is_empty();
            let modules = if bundled { &source.script.bundled } else { &source.script.declarations };
            for module in modules.iter().take(MAX_NODES.saturating_sub(graph.nodes.len())) {
                let index = graph.nodes.len();
                graph.named.entry((at, module.name)).or_insert(index);
                let name = match bundled {
                    true => {
                        graph.anywhere.entry(module.name).or_insert(index);
                        format!("#{}", module.name)
                    }
                    false => module.name.to_owned(),
                };
                graph.nodes.push(Node { script: at, range: module.start..module.end, name });
            }
            if !source.web {
                continue;
            }
            graph.files.entry(route(&source.path).to_owned()).or_insert(graph.nodes.len());
            graph.nodes.push(Node { script: at, range: 0..usize::MAX, name: String::new() });
        }
        graph.find_roots(config);
        graph
    }

    /// The nodes that pages begin with.
    fn find_roots(&mut self, config: &Config) {
        let pages: HashMap<&str, usize> =
            config.pages.iter().enumerate().map(|(index, page)| (page.as_str(), index)).collect();
        let dashed: HashMap<String, usize> =
            config.pages.iter().enumerate().map(|(index, page)| (page.replace('/', "-"), index)).collect();
        let (mut roots, mut tables) = (Vec::new(), HashSet::new());
        for (at, source) in self.scripts.iter().enumerate() {
            let script = &source.script;
            let names = names(&script.routes);
            let first = script.routes.first().map_or(usize::MAX, |entry| entry.start);
            let from = script.references.partition_point(|reference| reference.offset < first);
            for reference in &script.references[from..] {
                let entry = entry_at(&script.routes, reference.offset);
                let page = entry.and_then(|entry| pages.get(names.get(entry)?.as_str()));
                let root = page.copied().zip(page.and_then(|_| self.resolve(at, reference)));
                if root.is_some() {
                    tables.insert(at);
                }
                roots.extend(root);
            }
            let references = &script.references;
            for (index, reference) in references.iter().enumerate() {
                let page = match reference.callee {
                    "__definePage" => pages.get(reference.name),
                    callee if callee.ends_with(".component") => dashed.get(reference.name),
                    _ => None,
                };
                let Some(&page) = page.filter(|_| !reference.variable) else { continue };
                let near = |next: &&Reference<'_>| next.offset < reference.offset + DEFINITION;
                let next = references[index + 1..].iter().take_while(near);
                roots.extend(next.filter_map(|next| self.resolve(at, next)).next().map(|node| (page, node)));
            }
            // `pages-sign-sign.3fb2a1.js`, as builds for browsers name the file of a page.
            let file = source.path.rsplit('/').next().unwrap_or_default();
            let page = file
                .char_indices()
                .filter(|(_, ch)| matches!(ch, '.' | '-'))
                .filter_map(|(end, _)| dashed.get(&file[..end]))
                .next_back();
            if let (Some(&page), Some(&node)) = (page, self.files.get(route(&source.path))) {
                roots.push((page, node));
            }
        }
        (self.roots, self.tables) = (roots, tables);
    }

    /// The node that a reference in a script names.
    fn resolve(&self, script: usize, reference: &Reference<'_>) -> Option<usize> {
        if let Some(&node) = self.named.get(&(script, reference.name)) {
            return Some(node);
        }
        if reference.variable {
            return None;
        }
        if let Some(&node) = self.anywhere.get(reference.name) {
            return Some(node);
        }
        if !reference.name.contains('/') {
            return None;
        }
        self.files.get(&relative(&self.scripts.get(script)?.path, reference.name)).copied()
    }

    /// The nodes that a range of a script refers to.
    fn referred(&self, script: usize, range: &Range<usize>) -> impl Iterator<Item = usize> {
        let references = self.scripts.get(script).map_or(&[][..], |source| &source.script.references);
        let first = references.partition_point(|reference| reference.offset < range.start);
        let end = range.end;
        references[first..]
            .iter()
            .take_while(move |reference| reference.offset < end)
            .filter_map(move |reference| self.resolve(script, reference))
    }

    fn owners(&self) -> Vec<Owner> {
        let mut owners = vec![Owner::Nobody; self.nodes.len()];
        let claim = |owner: &mut Owner, page: usize| {
            let now = match *owner {
                Owner::Nobody => Owner::Page(page),
                Owner::Page(other) if other != page => Owner::Several,
                Owner::Page(_) | Owner::Several => return false,
            };
            *owner = now;
            true
        };
        // Where pages begin is theirs, whoever else names it: entry files name the files of all pages.
        let mut begins = vec![false; self.nodes.len()];
        for &(page, at) in &self.roots {
            begins[at] = true;
            claim(&mut owners[at], page);
        }
        let mut stack: Vec<(usize, usize)> = self.roots.clone();
        while let Some((page, at)) = stack.pop() {
            let node = &self.nodes[at];
            for next in self.referred(node.script, &node.range) {
                let table =
                    self.nodes[next].name.is_empty() && self.tables.contains(&self.nodes[next].script);
                if !begins[next] && !table && claim(&mut owners[next], page) {
                    stack.push((page, next));
                }
            }
        }
        owners
    }
}

/// Keys that scripts ask tables of texts for.
pub(crate) fn keys<'s>(scripts: &'s [Source<'_>]) -> HashSet<&'s str> {
    let asks = |callee: &str| {
        let name = callee.rsplit('.').next().unwrap_or_default();
        matches!(name, "$t" | "t" | "tc" | "_t")
    };
    let references = scripts.iter().flat_map(|source| &source.script.references);
    references.filter(|reference| !reference.variable && asks(reference.callee)).map(|r| r.name).collect()
}

/// Whether a script is nothing but the configuration of a uni-app.
pub(crate) fn is_uni_config(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    matches!(file, "app-config-service.js")
}

/// Value of `name = …` in a script, where it is written as JSON.
pub(crate) fn assigned(source: &[u8], name: &str) -> Option<serde_json::Value> {
    let at = memchr::memmem::find_iter(source, name.as_bytes()).find_map(|at| {
        let rest = source.get(at + name.len()..)?.trim_ascii_start().strip_prefix(b"=")?;
        rest.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'[')).then_some(rest)
    })?;
    serde_json::Deserializer::from_slice(at).into_iter().next()?.ok()
}

/// The path of a file that another names: `./js/app.js?v=2` from `assets/www/index.html`.
pub(crate) fn beside(file: &str, name: &str) -> Arc<str> {
    let name = name.split(['?', '#']).next().unwrap_or(name);
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Arc::from(parts.join("/"))
}
