//! Which class leads to which: from the manifest's entries along references to every class that can come alive,
//! and from any class back to the screen it belongs to.
//!
//! A node is an outermost class with its inner classes, lambdas and listeners.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet, VecDeque};

use foldhash::fast::RandomState;

use super::code::OwnClass;
use super::symbol::{Symbol, Symbols};

/// How far a class that is no screen itself is followed back to one.
const MAX_BACK: usize = 5;
/// How many classes are looked at on the way back.
const MAX_SEEN: usize = 256;

/// Index of a node.
pub(super) type NodeId = usize;

#[derive(Debug, Default)]
pub(super) struct GraphNode<'c> {
    /// Name of the outermost class, whether or not it has code of its own.
    pub(super) name: &'c str,
    pub(super) classes: Vec<&'c OwnClass>,
    edges: Vec<NodeId>,
    /// Reached nodes with an edge to this one.
    back: Vec<NodeId>,
    screens: OnceCell<Vec<NodeId>>,
    pub(super) reached: bool,
    /// The class chain ends in an activity, a fragment or a dialog.
    pub(super) is_screen: bool,
    /// Registered in the manifest as an activity.
    pub(super) is_activity: bool,
}

#[derive(Debug)]
pub(super) struct Graph<'c> {
    pub(super) nodes: Vec<GraphNode<'c>>,
    symbols: &'c Symbols,
    /// The node of each symbol that is a class of the app.
    by_symbol: Vec<Option<NodeId>>,
    by_name: HashMap<&'c str, NodeId, RandomState>,
}

/// The outermost class of a name: `a.B$1` is in `a.B`, `a.-$$Lambda$B$x` is in `a.B`.
pub(super) fn outer(name: &str) -> Cow<'_, str> {
    if let Some((package, rest)) = name.split_once("-$$Lambda$") {
        let class = rest.split('$').next().unwrap_or(rest);
        return Cow::Owned(format!("{package}{class}"));
    }
    let simple = name.rfind('.').map_or(0, |at| at + 1);
    // A leading `$` is part of the name.
    let end = name[simple..]
        .char_indices()
        .skip(1)
        .find(|(_, ch)| *ch == '$')
        .map_or(name.len(), |(at, _)| simple + at);
    Cow::Borrowed(&name[..end])
}

impl<'c> Graph<'c> {
    pub(super) fn new(classes: impl Iterator<Item = &'c OwnClass>, symbols: &'c Symbols) -> Self {
        let by_symbol = vec![None; symbols.len()];
        let mut graph = Graph { nodes: Vec::new(), symbols, by_symbol, by_name: HashMap::default() };
        for class in classes {
            let id = graph.add(class.name);
            graph.nodes[id].classes.push(class);
        }
        // Classes that are only referred to by an inner class of theirs.
        for index in 0..graph.by_symbol.len() {
            if graph.by_symbol[index].is_none() {
                let name = symbols.name(Symbol(index as u32));
                graph.by_symbol[index] = graph.by_name.get(&*outer(name)).copied();
            }
        }
        for id in 0..graph.nodes.len() {
            // A mapper names every binding of the app and so leads from anywhere to anywhere.
            if graph.nodes[id].name.ends_with("DataBinderMapperImpl") {
                continue;
            }
            let mut edges: Vec<NodeId> = Vec::new();
            for class in &graph.nodes[id].classes {
                let methods = || class.methods.iter();
                let calls = methods().flat_map(|method| method.calls.iter().map(|(class, _)| *class));
                let types = methods().flat_map(|method| method.types.iter().copied());
                let targets = class.superclass.into_iter().chain(calls).chain(types);
                edges.extend(targets.filter_map(|symbol| graph.node(symbol)).filter(|&to| to != id));
            }
            edges.sort_unstable();
            edges.dedup();
            graph.nodes[id].edges = edges;
        }
        for id in 0..graph.nodes.len() {
            graph.nodes[id].is_screen = graph.is_screen_class(id);
        }
        graph
    }

    fn add(&mut self, class: Symbol) -> NodeId {
        let name = self.symbols.name(class);
        let outermost = outer(name);
        let id = match self.by_name.get(&*outermost) {
            Some(&id) => id,
            None => {
                let id = self.nodes.len();
                // The outermost class of a lambda is named by the lambda only; then the lambda's name stands for it.
                let symbol = self.symbols.find(&outermost).unwrap_or(class);
                let name = self.symbols.name(symbol);
                self.nodes.push(GraphNode { name, ..GraphNode::default() });
                self.by_name.insert(name, id);
                id
            }
        };
        if let Some(slot) = self.by_symbol.get_mut(class.0 as usize) {
            *slot = Some(id);
        }
        id
    }

    /// The node of a class, or of the class around it.
    pub(super) fn node(&self, class: Symbol) -> Option<NodeId> {
        self.by_symbol.get(class.0 as usize).copied().flatten()
    }

    /// The node of a class that is named elsewhere than in code.
    pub(super) fn find(&self, class: &str) -> Option<NodeId> {
        self.by_name.get(class).or_else(|| self.by_name.get(&*outer(class))).copied()
    }

    /// An edge that does not come from code: a layout that names a class.
    pub(super) fn link(&mut self, from: NodeId, to: NodeId) {
        if from != to && !self.nodes[from].edges.contains(&to) {
            self.nodes[from].edges.push(to);
        }
    }

    /// Whether the class chain of the app ends in a screen class of a library.
    fn is_screen_class(&self, id: NodeId) -> bool {
        let mut id = id;
        for _ in 0..16 {
            let node = &self.nodes[id];
            let main = node.classes.iter().find(|class| self.symbols.name(class.name) == node.name);
            let Some(parent) = main.or(node.classes.first()).and_then(|class| class.superclass) else {
                return false;
            };
            match self.node(parent) {
                Some(next) if next != id => id = next,
                _ => {
                    let parent = self.symbols.name(parent);
                    let simple = parent.rsplit(['.', '$']).next().unwrap_or(parent);
                    return ["Activity", "Fragment", "Dialog", "PopupWindow", "PopupView"]
                        .iter()
                        .any(|kind| simple.contains(kind));
                }
            }
        }
        false
    }

    /// Walks from the roots; may be called again with more roots.
    pub(super) fn walk(&mut self, roots: &[NodeId]) {
        let mut queue: VecDeque<NodeId> = VecDeque::new();
        for &root in roots {
            if !std::mem::replace(&mut self.nodes[root].reached, true) {
                queue.push_back(root);
            }
        }
        while let Some(id) = queue.pop_front() {
            for to in self.nodes[id].edges.clone() {
                let next = &mut self.nodes[to];
                next.back.push(id);
                if !std::mem::replace(&mut next.reached, true) {
                    queue.push_back(to);
                }
            }
        }
    }

    /// The screens a class belongs to: itself, or the nearest screens on the ways back to the manifest.
    /// Only after [`Graph::walk`].
    pub(super) fn screens_of(&self, id: NodeId) -> &[NodeId] {
        self.nodes[id].screens.get_or_init(|| self.find_screens(id))
    }

    fn find_screens(&self, id: NodeId) -> Vec<NodeId> {
        let mut found = Vec::new();
        let mut seen: HashSet<NodeId, RandomState> = HashSet::from_iter([id]);
        let mut level = vec![id];
        for _ in 0..MAX_BACK {
            let mut next = Vec::new();
            for at in level {
                let node = &self.nodes[at];
                if node.is_activity || node.is_screen {
                    found.push(at);
                } else {
                    next.extend(node.back.iter().copied().filter(|&back| seen.insert(back)));
                }
            }
            if next.is_empty() || seen.len() > MAX_SEEN {
                break;
            }
            level = next;
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_classes_belong_to_their_outermost() {
        assert_eq!(outer("cn.gov.Patrol$1"), "cn.gov.Patrol");
        assert_eq!(outer("cn.gov.Patrol$$ExternalSyntheticLambda0"), "cn.gov.Patrol");
        assert_eq!(outer("cn.gov.-$$Lambda$Patrol$AbC"), "cn.gov.Patrol");
        assert_eq!(outer("cn.gov.$Proxy"), "cn.gov.$Proxy");
        assert_eq!(outer("Main"), "Main");
    }
}
