//! Which class leads to which: from the manifest's entries along references to every class that can come alive,
//! and from any class back to the screen it belongs to.
//!
//! A node is an outermost class with its inner classes, lambdas and listeners.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::code::OwnClass;

/// How far a class that is no screen itself is followed back to one.
const MAX_BACK: usize = 5;
/// How many classes are looked at on the way back.
const MAX_SEEN: usize = 256;

/// Index of a node.
pub(super) type NodeId = usize;

#[derive(Debug, Default)]
pub(super) struct GraphNode<'c> {
    pub(super) name: Arc<str>,
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

#[derive(Debug, Default)]
pub(super) struct Graph<'c> {
    pub(super) nodes: Vec<GraphNode<'c>>,
    by_name: HashMap<Arc<str>, NodeId>,
}

/// The outermost class of a name: `a.B$1` is in `a.B`, `a.-$$Lambda$B$x` is in `a.B`.
pub(super) fn outer(name: &str) -> String {
    if let Some((package, rest)) = name.split_once("-$$Lambda$") {
        let class = rest.split('$').next().unwrap_or(rest);
        return format!("{package}{class}");
    }
    let (package, simple) = name.rsplit_once('.').map_or(("", name), |(package, simple)| (package, simple));
    // A leading `$` is part of the name.
    let end = simple.char_indices().skip(1).find(|(_, ch)| *ch == '$').map_or(simple.len(), |(at, _)| at);
    if package.is_empty() { simple[..end].to_owned() } else { format!("{package}.{}", &simple[..end]) }
}

impl<'c> Graph<'c> {
    pub(super) fn new(classes: impl Iterator<Item = &'c OwnClass>) -> Self {
        let mut graph = Graph::default();
        for class in classes {
            let id = graph.add(&outer(&class.name));
            graph.nodes[id].classes.push(class);
        }
        for id in 0..graph.nodes.len() {
            // A mapper names every binding of the app and so leads from anywhere to anywhere.
            if graph.nodes[id].name.ends_with("DataBinderMapperImpl") {
                continue;
            }
            let mut targets = Vec::new();
            for class in &graph.nodes[id].classes {
                targets.extend(class.superclass.iter().map(|name| outer(name)));
                for method in &class.methods {
                    targets.extend(method.calls.iter().map(|(class, _)| outer(class)));
                    targets.extend(method.types.iter().map(|class| outer(class)));
                }
            }
            let mut edges: Vec<NodeId> = targets.iter().filter_map(|name| graph.find(name)).filter(|&to| to != id).collect();
            edges.sort_unstable();
            edges.dedup();
            graph.nodes[id].edges = edges;
        }
        for id in 0..graph.nodes.len() {
            graph.nodes[id].is_screen = graph.is_screen_class(id);
        }
        graph
    }

    fn add(&mut self, name: &str) -> NodeId {
        if let Some(&id) = self.by_name.get(name) {
            return id;
        }
        let name: Arc<str> = Arc::from(name);
        let id = self.nodes.len();
        self.nodes.push(GraphNode { name: name.clone(), ..GraphNode::default() });
        self.by_name.insert(name, id);
        id
    }

    /// The node of a class or of one of its inner classes.
    pub(super) fn find(&self, class: &str) -> Option<NodeId> {
        self.by_name.get(class).copied().or_else(|| self.by_name.get(outer(class).as_str()).copied())
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
            let main = node.classes.iter().find(|class| class.name == node.name).or(node.classes.first());
            let Some(parent) = main.and_then(|class| class.superclass.as_deref()) else { return false };
            match self.find(parent) {
                Some(next) if next != id => id = next,
                _ => {
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
        let mut seen = HashSet::from([id]);
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
