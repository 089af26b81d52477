//! Real article pages are 2 to 4 MB, nearly all of it scripts. The fixtures hold the rest; a line `<!--filler-->`
//! says where the scripts stand, and they are made here.

/// A page with its fillers grown until it has about so many bytes.
pub(crate) fn grown(source: &str, bytes: usize) -> String {
    let places = source.matches("<!--filler-->").count().max(1);
    let each = bytes.saturating_sub(source.len()) / places;
    source.replace("<!--filler-->", &script(each))
}

/// A script of about so many bytes, as the platform's own are: names that the reader looks for, used as code.
fn script(bytes: usize) -> String {
    let mut text = String::from(
        "<script type=\"text/javascript\">\nvar __INLINE_SCRIPT__ = (function () { 'use strict';\n",
    );
    let mut number = 0u32;
    while text.len() < bytes {
        number += 1;
        let piece = format!(
            "        function getBiz{number}(element, cb) {{ var biz = null; if (window.item_show_type === '0' && element.title < {number}) {{\n\
             \x20           var rect = element.getBoundingClientRect(); window.__second_open__ = rect.top + 'px'; // 访问过于频繁 {number}\n\
             \x20           return cb(document.getElementById('js_content'), window.user_name, '<div class=\"weui-msg__title\">该内容已被发布者删除</div>');\n\
             \x20       }} var createTime{number} = new Date(+ct * 1000); msg.title = createTime{number} / 2; }}\n"
        );
        text.push_str(&piece);
    }
    text.push_str("})();\n</script>");
    text
}
