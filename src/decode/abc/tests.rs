use super::*;
#[test]
fn real() {
    for path in std::env::var("ABC").unwrap().split(' ') {
        let bytes = std::fs::read(path).unwrap();
        let (abc, issues) = Abc::parse(&bytes).unwrap();
        println!("{path} {:?} classes {} methods {} {issues:?}", abc.version(), abc.classes().len(), abc.methods().len());
        let mut walker = code::Walker::new(&abc);
        let (mut broken, mut uses, mut sinkless) = (0, 0, 0);
        for index in 0..abc.methods().len() {
            let Some(body) = walker.method(index) else { continue };
            if body.broken.is_some() { broken += 1; println!("broken {:?} {}", body.broken, abc.methods()[index].name); }
            uses += body.uses.len();
            sinkless += body.uses.iter().filter(|u| u.sinks.is_empty()).count();
            if std::env::var("SHOW").is_ok() {
                for u in &body.uses {
                    let t = match u.value { code::Value::String(s) => abc.string(s).unwrap_or_default().into_owned(), code::Value::Resource(r) => format!("{r:#x}") };
                    println!("{} {} | {t} | {:?}", abc.classes()[abc.methods()[index].class].name, abc.methods()[index].name, u.sinks.iter().map(|s| match s {
                        code::Sink::Call{callee, argument, key, new} => format!("{}{:?}.{:?}({argument},{:?})", if *new {"new "} else {""}, match callee.base { code::Base::Named(n) => abc.string(n).unwrap_or_default().into_owned(), code::Base::Import(i) => abc.classes()[abc.methods()[index].class].module.imports.get(i as usize).map(|x| format!("{}:{}", x.local, x.name)).unwrap_or_default(), o => format!("{o:?}") }, callee.name.and_then(|n| abc.string(n)), key.and_then(|n| abc.string(n))),
                        code::Sink::Property(k) => format!(".{}", abc.string(*k).unwrap_or_default()),
                        o => format!("{o:?}") }).collect::<Vec<_>>());
                }
            }
        }
        println!("  broken {broken} uses {uses} sinkless {sinkless}");
    }
}
