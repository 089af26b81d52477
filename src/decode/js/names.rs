//! Names of properties and functions that frameworks and bundlers give a meaning.

/// Properties that entries of menus have beside their text.
pub(super) fn leads(key: &[u8]) -> bool {
    matches!(
        key,
        b"url"
            | b"path"
            | b"page"
            | b"pagePath"
            | b"route"
            | b"link"
            | b"icon"
            | b"iconPath"
            | b"img"
            | b"image"
            | b"iconUrl"
            | b"pageUrl"
            | b"to"
            | b"href"
            | b"routeName"
            | b"event"
            | b"handler"
            | b"jumpUrl"
    )
}

/// Properties that hold a handler of presses.
pub(super) fn handles(key: &[u8]) -> bool {
    matches!(
        key,
        b"onClick"
            | b"onTap"
            | b"onPress"
            | b"onLongPress"
            | b"bindtap"
            | b"catchtap"
            | b"click"
            | b"tap"
            | b"onSubmit"
    )
}

/// Properties that only entries of router tables have beside `path`.
pub(super) fn routes(key: &[u8]) -> bool {
    matches!(
        key,
        b"component"
            | b"components"
            | b"loader"
            | b"element"
            | b"meta"
            | b"redirect"
            | b"lazy"
            | b"loadChildren"
            | b"window"
    )
}

/// Callees, with their last part, whose arguments may name a module or a text.
pub(super) fn is_reference(callee: &[u8], name: &[u8]) -> bool {
    !callee.is_empty()
        && (callee.len() <= 2
            || matches!(
                name,
                b"$t"
                    | b"t"
                    | b"tc"
                    | b"bind"
                    | b"component"
                    | b"require"
                    | b"__webpack_require__"
                    | b"import"
                    | b"__definePage"
            ))
}

/// Names that webpack gives modules: the start of a digest.
pub(super) fn is_digest(key: &[u8]) -> bool {
    key.len() >= 4 && key.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Callees, by their last part, that make an element of a component.
pub(super) fn makes_element(name: &[u8]) -> bool {
    matches!(
        name,
        b"createVNode"
            | b"createBlock"
            | b"createElement"
            | b"_createVNode"
            | b"_createBlock"
            | b"jsx"
            | b"jsxs"
    )
}
