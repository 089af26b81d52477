use proptest::prelude::*;

use super::*;

const ALL: Filter = Filter { literal: |_| true, call: |_| true };
const CJK: Filter = Filter { literal: |_| false, call: |_| false };

fn texts(source: &str) -> Vec<String> {
    Script::read(source.as_bytes(), ALL).literals.iter().map(|literal| literal.text.to_string()).collect()
}

/// Literals outside ASCII.
fn texts_of(source: &str) -> Vec<String> {
    let literals = Script::read(source.as_bytes(), CJK).literals;
    literals.iter().map(|literal| literal.text.to_string()).collect()
}

/// The only literal of a text outside ASCII.
fn one(source: &str) -> Literal<'_> {
    let mut found = Script::read(source.as_bytes(), CJK).literals;
    assert_eq!(found.len(), 1, "{source}: {found:?}");
    found.remove(0)
}

#[test]
fn escapes_are_undone() {
    for (source, value) in [
        (r#""\u6253\u5361""#, "打卡"),
        (r#""\u{6253}\u{5361}""#, "打卡"),
        (r#""\x41\0\n\t\'\q""#, "A\0\n\t'q"),
        (r#""\uD83D\uDE00""#, "😀"),
        (r#""a\uD83Db\uDE00""#, "a\u{FFFD}b\u{FFFD}"),
        ("'打\\\n卡'", "打卡"),
        ("'打\\\r\n卡'", "打卡"),
        ("'\\打'", "打"),
        (r#""\101\7""#, "A\u{7}"),
        ("`打\\u5361`", "打卡"),
    ] {
        assert_eq!(texts(source), [value], "{source}");
    }
}

#[test]
fn a_slash_is_a_division_or_begins_a_regular_expression() {
    for source in [
        "a=b/c/d;'x'",
        "if(a)/'/.test(b);'x'",
        "return/\"/g;'x'",
        "(a)/b/c;'x'",
        "a[0]/b/c;'x'",
        "a++/b/c;'x'",
        "}/'/.test(a);'x'",
        "x={}/2/3;'x'",
        "a=/[/'\"]/;'x'",
        "a.return/b/c;'x'",
        "of/b/c;'x'",
        "for(a of/'/.exec(b));'x'",
        "typeof/'/;'x'",
        "f(/\\/'/);'x'",
        "a?/'/:/\"/;'x'",
        "!/'/.test(a)&&'x'",
        "1/2/3;'x'",
        ".5/2/'x'.length",
        "`${a/b/c}`;'x'",
        "`${/`}/.test(a)}`;'x'",
    ] {
        assert_eq!(texts(source).iter().filter(|text| *text == "x").count(), 1, "{source}");
        assert_eq!(Script::read(source.as_bytes(), ALL).literals.last().unwrap().text, "x", "{source}");
    }
}

#[test]
fn comments_hide_what_is_in_them_and_are_told() {
    let source = "#!/usr/bin/env node\n'a'//'b'\n/*'c'*/'d'<!--'e'\n--> 'f'\n'http://g'";
    assert_eq!(texts(source), ["a", "d", "http://g"]);
    let comment = one("/* 每日打卡 */");
    assert_eq!((comment.kind, &*comment.text), (LiteralKind::Comment, "每日打卡"));
}

#[test]
fn joined_strings_are_one_text() {
    assert_eq!(texts("x='打'+'卡'+\"了\""), ["打卡了"]);
    let whole = one("x='a'+'打卡'");
    assert_eq!((&*whole.text, whole.part, whole.offset), ("a打卡", false, 2));
    assert!(one("x=n+'分钟'").part);
    assert!(one("x='已打卡'+n").part);
    assert!(one("x='已'+`打卡`+n").part);
    assert!(!one("x=['打卡']").part);
    let holes = one("x=`今日${n+`${m}`}次打卡`");
    assert_eq!((&*holes.text, holes.kind), ("今日…次打卡", LiteralKind::Template));
}

#[test]
fn texts_joined_at_run_time_are_folded() {
    for (source, value, expression) in [
        ("t='签'+'到'", "签到", Some("'签'+'到'")),
        ("t=['积','分'].join('')", "积分", Some("['积','分'].join('')")),
        ("t=['每日','打卡'].join('-')+'了'", "每日-打卡了", Some("['每日','打卡'].join('-')+'了'")),
        ("t='排'.concat('行','榜')", "排行榜", Some("'排'.concat('行','榜')")),
        ("t=''.concat('打').concat('卡')+'了'", "打卡了", Some("''.concat('打').concat('卡')+'了'")),
        ("t=`${'学习'}时长`", "学习时长", Some("`${'学习'}时长`")),
        ("t=String.fromCharCode(31614,0x5230)", "签到", Some("String.fromCharCode(31614,0x5230)")),
        ("t='打'+String.fromCharCode(21345)", "打卡", Some("'打'+String.fromCharCode(21345)")),
        (
            "t=decodeURIComponent('%E7%AD%BE%E5%88%B0')",
            "签到",
            Some("decodeURIComponent('%E7%AD%BE%E5%88%B0')"),
        ),
        ("t=unescape('%u7B7E%u5230!')", "签到!", Some("unescape('%u7B7E%u5230!')")),
        (
            "t=decodeURIComponent(escape(window.atob('5omT5Y2h')))",
            "打卡",
            Some("decodeURIComponent(escape(window.atob('5omT5Y2h')))"),
        ),
        ("e.toDisplayString('立即')+'打卡'", "立即打卡", Some("e.toDisplayString('立即')+'打卡'")),
        ("function f(){var a='签';t.title=a+'到'}", "签到", Some("a+'到'")),
        ("const KIND='积分';function f(){t.title='总'+KIND+'榜'}", "总积分榜", Some("'总'+KIND+'榜'")),
        ("const a='积分';e.d={data(){return{h:a+'榜'}}}", "积分榜", Some("a+'榜'")),
        ("var a='签';t=`${a}到`", "…到", None),
    ] {
        let literals = Script::read(source.as_bytes(), CJK).literals;
        let literal = literals.last().unwrap();
        assert_eq!((&*literal.text, literal.joined), (value, expression), "{source}");
        assert_eq!(literal.part, value.starts_with(HOLE), "{source}");
    }
    // The pieces are no texts of their own beside the whole.
    assert_eq!(texts("x(['积','分'].join(''),'打'.concat('卡'))"), ["积分", "打卡"]);
    let folded = one("wx.showToast({title:['打','卡'].join(''),icon:n})");
    assert_eq!((folded.key, folded.callee, folded.offset), (Some("title"), Some("wx.showToast"), 20));
}

#[test]
fn what_is_joined_with_run_time_values_stays_apart() {
    for (source, expected) in [
        ("t='已打卡'+n", vec!["已打卡"]),
        ("t='第'.concat(n,'名')", vec!["第", "名"]),
        ("t=['打',n,'卡'].join('')", vec!["打", "卡"]),
        ("t=['打'+n,'卡'].join('')", vec!["打", "卡"]),
        ("t=decodeURIComponent(n+'打卡')", vec!["打卡"]),
        ("t=atob('打卡')", vec!["打卡"]),
        // Another function's variable of that name, one that changes, a parameter, a property.
        ("function f(){var a='签'}function g(a){t=a+'到'}", vec!["签", "到"]),
        ("function f(){var a='签';a='打';t=a+'到'}", vec!["签", "打", "到"]),
        ("var a='签';x.map(a=>a+'到')", vec!["签", "到"]),
        ("const a='签';x.map((b,a)=>a+'到')", vec!["签", "到"]),
        ("const a='签';function g(){var a=f();t=a+'到'}", vec!["签", "到"]),
        ("const a='签';x={m(a){t=a+'到'}}", vec!["签", "到"]),
        ("var a='签';t=b.a+'到'", vec!["签", "到"]),
        ("var a='签';t='到'+a.length", vec!["签", "到"]),
        ("const KIND='积分';t='到'+KIND(1)", vec!["积分", "到"]),
    ] {
        assert_eq!(texts_of(source), expected, "{source}");
    }
}

#[test]
fn folding_is_bounded() {
    let mut doubling = String::from("var a0='打卡';");
    for i in 1..40 {
        doubling.push_str(&format!("var abc{i}=abc{}+abc{};", i - 1, i - 1));
    }
    let long = format!("{}t=[{}].join('{}')", doubling, "'打',".repeat(500), "卡".repeat(1000));
    let script = Script::read(long.as_bytes(), CJK);
    assert!(script.literals.iter().map(|literal| literal.text.len()).sum::<usize>() < 200_000);
}

#[test]
fn modules_and_routes_are_known() {
    let source = "(window.webpackJsonp=window.webpackJsonp||[]).push([['app'],{'0de9':function(t,e,n){var a=n('b1d0');\
                  t.exports={'tap':function(){}}},b1d0:function(t,e){},123:(t,e,n)=>{n(77)}}]);\
                  var r=[{path:'/rank',name:'rank',component:function(){return n.e('c').then(n.bind(null,'4b2c'))},\
                  meta:{title:'排行榜'},children:[{path:'mine',component:m}]},{title:'打卡',path:'/x'}];";
    let script = Script::read(source.as_bytes(), CJK);
    let bundled: Vec<&str> = script.bundled.iter().map(|module| module.name).collect();
    assert_eq!(bundled, ["0de9", "b1d0", "123"]);
    assert!(script.references.iter().any(|r| r.name == "b1d0" && r.callee == "n"));
    assert!(script.references.iter().any(|r| r.name == "77"));
    assert!(script.references.iter().any(|r| r.name == "4b2c" && r.callee == "n.bind"));
    let routes: Vec<(&str, Option<&str>, Option<u32>)> =
        script.routes.iter().map(|r| (&*r.path, r.title.as_deref(), r.parent)).collect();
    assert_eq!(routes, [("/rank", Some("排行榜"), None), ("mine", None, Some(0))]);
}

#[test]
fn declarations_are_told_with_their_extent() {
    let source = "function Home(a,{b}={}){function inner(){return 'ten characters'}return e.jsx(Link,{})}go(1,2)\nfunction \
                  Rank(){return f(function named(){return 'ten characters and more'})};const Far=lazy(()=>import('./far.js')),\
                  o={m:function kept(){return 'ten characters and more'}};!function un(){return 'ten characters and more'}()";
    let script = Script::read(source.as_bytes(), CJK);
    let told: Vec<(&str, &str)> =
        script.declarations.iter().map(|one| (one.name, &source[one.start..one.end])).collect();
    let text = |from: &str, until: &str| {
        let start = source.find(from).unwrap();
        &source[start..source[start..].find(until).unwrap() + start]
    };
    assert_eq!(
        told,
        [
            ("Home", text("function Home", "go(1,2)")),
            ("Rank", text("function Rank", ";const")),
            ("Far", text("lazy(", ",o=")),
            ("o", text("{m:", ";!function")),
        ]
    );
}

#[test]
fn pressed_elements_name_their_handler() {
    for (source, tag, handler) in [
        (
            "e.createElementVNode('button',{type:'p',onClick:n[0]||(n[0]=(...e)=>i.punch&&i.punch(...e))},'打卡')",
            "button",
            "punch",
        ),
        (
            "_c('v-uni-view',{on:{click:function(e){arguments[0]=e=t.$handleEvent(e),t.punch(e)}}},[_c('text',[_v('打卡')])])",
            "v-uni-view",
            "punch",
        ),
        ("h('div',{onClick:this.punch},'打卡')", "div", "punch"),
        ("h('div',{onClick:punch,name:t.other},'打卡')", "div", "punch"),
        (
            "(0,h.jsx)(s.Touch,{onPress:this.punch,children:(0,h.jsx)(s.Text,{children:'打卡'})})",
            "Touch",
            "punch",
        ),
    ] {
        let literal = one(source);
        assert!(literal.pressable, "{source}");
        assert_eq!((literal.tag, literal.handler), (Some(tag), Some(handler)), "{source}");
    }
}

#[test]
fn documents_in_base64_are_told_from_pictures() {
    let page = format!("<!DOCTYPE html><html><body>{}</body></html>", "<p>打卡</p>".repeat(40));
    let encoded = data_encoding::BASE64.encode(page.as_bytes());
    for source in [format!("x='{encoded}'"), format!("x='data:text/html;base64,{encoded}'")] {
        let script = Script::read(source.as_bytes(), CJK);
        let found = script.embedded.first().unwrap();
        assert_eq!(&source[found.start..found.end], encoded);
    }
    let picture = format!("x='data:image/png;base64,{encoded}'");
    assert!(Script::read(picture.as_bytes(), CJK).embedded.is_empty());
    let noise = data_encoding::BASE64.encode(&[0x89; 600]);
    assert!(Script::read(format!("x='{noise}'").as_bytes(), CJK).embedded.is_empty());
}

#[test]
fn the_context_of_a_literal_is_known() {
    let toast = one("wx.showToast({title:'打卡成功',icon:'none'})");
    assert_eq!((toast.key, toast.callee, toast.argument), (Some("title"), Some("wx.showToast"), 0));
    let second = one("_c('button',{a:1},'打卡')");
    assert_eq!((second.callee, second.argument, second.key), (Some("_c"), 2, None));
    assert_eq!(one("(0,n.showToast)('打卡')").callee, Some("n.showToast"));
    assert_eq!(one("t.title='打卡'").key, Some("title"));
    let item = one("x={list:['打卡']}");
    assert_eq!((item.key, item.element), (Some("list"), true));
    assert_eq!(one("if(a==='打卡');").usage, Use::Compared);
    assert_eq!(one("if('打卡'!=a);").usage, Use::Compared);
    assert_eq!(one("switch(a){case'打卡':}").usage, Use::Compared);
    assert_eq!(one("x={'打卡':1}").usage, Use::Key);
    assert_eq!(one("x['打卡']").usage, Use::Key);
    assert_eq!(one("x={a:b?'打卡':1}").key, Some("a"));
    let script = Script::read("x=[{name:'签到',url:'/p'},{name:'积分'}]".as_bytes(), CJK);
    let leads = |at: usize| script.objects[script.literals[at].object.unwrap() as usize].leads;
    assert_eq!((leads(0), leads(1)), (true, false));
}

#[test]
fn elements_that_react_to_presses_are_known() {
    for source in [
        "jsx(B,{onClick:f,children:'打卡'})",
        "jsx(B,{onClick:f,children:jsx(T,{children:'打卡'})})",
        "e.createElement(B,{onClick:f},'打卡')",
        "_c('button',{on:{click:f}},[_v('打卡')])",
    ] {
        assert!(one(source).pressable, "{source}");
    }
    for source in [
        "jsx(B,{children:'打卡'})",
        "jsx(B,{onClick:function(){t('打卡')}})",
        "e.createElement(B,{a:f},'打卡')",
    ] {
        assert!(!one(source).pressable, "{source}");
    }
}

#[test]
fn a_variable_that_a_button_shows_and_its_values_are_known() {
    for source in [
        "function f(e){var t=e.a,a=t?'打卡':1;return(0,I.jsx)(v.Button,{className:'b',onClick:this.punch,children:a})}",
        "function f(e){var a=function(e){var n=e.o;return n?'打卡':1}(e);return jsx(v.Button,{onClick:this.punch,children:a})}",
        "function f(e){let a;a=e?'打卡':1;return jsx(v.Button,{children:a,onClick:this.punch})}",
    ] {
        let script = Script::read(source.as_bytes(), CJK);
        let label = script.labels.first().unwrap();
        assert_eq!((label.tag, label.handler), (Some("Button"), Some("punch")), "{source}");
        let literal = script.literals.iter().find(|literal| literal.text == "打卡").unwrap();
        assert_eq!(literal.given, Some(label.variable), "{source}");
    }
    // Another variable, the same name in another function, an argument of a call, a property.
    for source in [
        "function f(e){var a=1,b='打卡';return jsx(B,{onClick:g,children:a})}",
        "function f(e){var a='打卡'}function h(e){var a=1;return jsx(B,{onClick:g,children:a})}",
        "function f(e){var a=t('打卡');return jsx(B,{onClick:g,children:a})}",
        "function f(e){var a={b:'打卡'};return jsx(B,{onClick:g,children:a})}",
    ] {
        let script = Script::read(source.as_bytes(), CJK);
        let literal = script.literals.iter().find(|literal| literal.text == "打卡").unwrap();
        assert_ne!(literal.given, Some(script.labels.first().unwrap().variable), "{source}");
    }
    // A text that is only read.
    let read = "function f(){var a='打卡';return jsx(T,{children:a})}";
    assert!(Script::read(read.as_bytes(), CJK).labels.is_empty());
}

#[test]
fn functions_modules_and_calls_are_known() {
    let source = "define('pages/a.js',function(require){Page({data:{},punch:function(e){wx.request({url:'/a'})},\
                  sign(){this.go()},rank:async e=>{x('打卡')},each:n(t.mark(function e(){y('积分')}))})});\
                  function outer(){}class A{save(){}}exports.send=function(){}";
    let script = Script::read(source.as_bytes(), ALL);
    let names: Vec<(&str, Option<&str>)> = script.functions.iter().map(|f| (f.name, f.holder)).collect();
    assert_eq!(
        names,
        [
            ("punch", Some("Page")),
            ("sign", Some("Page")),
            ("rank", Some("Page")),
            ("each", Some("Page")),
            ("outer", None),
            ("save", None),
            ("send", None)
        ]
    );
    let body = &source[script.functions[0].start..script.functions[0].end];
    assert_eq!(body, "{wx.request({url:'/a'})}");
    assert_eq!(script.modules.len(), 1);
    assert_eq!(script.modules[0].name, "pages/a.js");
    assert!(script.module(source.find("sign").unwrap()).is_some());
    assert!(script.module(source.find("outer").unwrap()).is_none());
    let punch = script.literals.iter().find(|literal| literal.text == "/a").unwrap();
    assert_eq!(punch.function, Some(0));
    assert!(script.calls.iter().any(|call| call.callee == "this.go"));
}

#[test]
fn broken_text_is_read_on() {
    let script = Script::read("a='x\nb='打卡';)]}c='签到'".as_bytes(), CJK);
    assert_eq!(script.literals.len(), 2);
    let codes: Vec<&str> = script.issues.iter().map(|issue| issue.code).collect();
    assert_eq!(codes[0], "js.unterminated-string");
    assert!(codes.contains(&"js.unbalanced-bracket"));
}

#[test]
fn deep_and_repeated_openings_take_linear_time() {
    let deep = |unit: &str, count: usize| {
        let mut source = unit.repeat(count);
        source.push_str("'打卡'");
        source
    };
    for (unit, count) in [
        ("[", 1_000_000),
        ("({a:[", 200_000),
        ("`${", 200_000),
        ("/[", 500_000),
        ("/*", 500_000),
        ("a(", 500_000),
        ("\n-->", 200_000),
        ("\"打\"+", 200_000),
        ("function a(){", 100_000),
        ("''.concat('打',", 100_000),
        ("unescape(", 200_000),
        ("['打'].join('').concat(", 50_000),
        ("t=''.concat(['a'].join('b'));", 50_000),
        ("{path:'a',component:b,children:[", 50_000),
        ("const a='打',b=c=>a+", 50_000),
        ("x('a',{onClick:t.", 100_000),
    ] {
        let begun = std::time::Instant::now();
        let source = deep(unit, count);
        let script = Script::read(source.as_bytes(), CJK);
        assert!(script.literals.len() <= 1 || unit.contains('打'), "{unit}");
        assert!(begun.elapsed().as_secs() < 10, "{unit}: {:?}", begun.elapsed());
    }
}

#[test]
fn any_truncation_and_any_flipped_byte_is_read() {
    let source =
        "define('a.js',function(){Page({t:`打${a+`卡${/[`]/}`}`,'b':x/y/z,c(){return'\\u6253'+\"\\x41\"}})})";
    for cut in 0..source.len() {
        Script::read(&source.as_bytes()[..cut], ALL);
    }
    let mut state = 12_345u32;
    for _ in 0..5_000 {
        let mut bytes = source.as_bytes().to_vec();
        for _ in 0..3 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % bytes.len();
            bytes[at] = state as u8;
        }
        Script::read(&bytes, ALL);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let script = Script::read(&bytes, ALL);
        for literal in &script.literals {
            prop_assert!(literal.offset < bytes.len());
        }
    }

    #[test]
    fn any_script_like_text_is_read(source in "[-a-c'\"`${}()\\[\\]/*+=>:;,.?\\\\\n打 ]{0,120}") {
        let script = Script::read(source.as_bytes(), ALL);
        for function in &script.functions {
            prop_assert!(function.start < function.end && function.end <= source.len());
        }
    }
}
