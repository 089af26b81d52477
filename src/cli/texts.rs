//! Every word of the help, in both languages.

use std::error::Error;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};
use zhijian::model::Lang;

/// Command path (and argument) to its help in Chinese and English.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "zhijian",
        "指尖质检：检测政务应用、小程序、公众账号、工作群组中的“指尖上的形式主义”",
        "Detects formalism at the fingertips in government apps, accounts and work groups",
    ),
    ("zhijian --lang", "输出语言：zh 中文（默认）、en 英文", "Language of the output: zh (default), en"),
    ("zhijian --help", "显示帮助", "Print help"),
    ("zhijian --version", "显示版本", "Print version"),
    (
        "zhijian scan",
        "检测安装包、账号页面、群消息导出，给出技术检测报告和建议赋码",
        "Scan packages, pages of accounts, exports of groups: report and suggested colour code",
    ),
    (
        "zhijian scan FILE",
        "安装包、网页文件夹、存放安装包的文件夹，公众账号的页面、订阅源、发布列表，工作群的消息导出，按内容识别；也可以是网址，同 fetch",
        "Packages, folders of web pages or of packages, pages, feeds and lists of posts of accounts, exports of groups, told by their content; or addresses, as for fetch",
    ),
    (
        "zhijian scan --format",
        "标准输出的格式：terminal（默认）、json、jsonl、sarif、html、docx、xlsx",
        "Format of standard output: terminal (default), json, jsonl, sarif, html, docx, xlsx",
    ),
    (
        "zhijian scan --report",
        "另写一份报告到文件，可多次给出，如 html=报告.html、docx=报告.docx",
        "Also write a report to a file, may be repeated: html=report.html, docx=report.docx",
    ),
    (
        "zhijian scan --rules",
        "使用该目录中的规则，不用内置规则",
        "Use the rules of this directory, not the embedded ones",
    ),
    ("zhijian scan --filing", "备案编号，适用于本次检测的对象", "Filing number, holds for what is scanned"),
    (
        "zhijian scan --filing-list",
        "备案清单（CSV、XLSX、XLS 或 ODS，含包名或名称、备案编号两列）",
        "Filing list (CSV, XLSX, XLS or ODS with columns id or name, and number)",
    ),
    (
        "zhijian scan --owner",
        "登记的主办单位，用于核对账号主体是否一致",
        "Registered owner, with which the principal of an account is compared",
    ),
    (
        "zhijian scan --as-of",
        "停更、闲置天数计算到哪一天，如 2026-11-25；默认为抓取时间，本地文件为当前时间",
        "Day that days without updates are counted to, 2026-11-25; default: when fetched, for files now",
    ),
    (
        "zhijian scan --appid",
        "小程序的 appid，用于解开电脑版微信加密存储的小程序包；路径中含有时不必给出",
        "Appid of a mini program, opens what WeChat for PC has encrypted; not needed when the path has it",
    ),
    (
        "zhijian scan --fail-on",
        "检出达到该级别的功能时退出码为 1（suspected 疑似、confirmed 确认）",
        "Exit with 1 when there are findings of this level or above: suspected, confirmed",
    ),
    (
        "zhijian scan --baseline",
        "基线文件（YAML）：由人判定不计入的检出项及其证据，不影响 --fail-on 和建议赋码；出现新证据时仍会检出",
        "Baseline (YAML): findings judged by a person, by their evidence; they do not count, new evidence does",
    ),
    (
        "zhijian scan --write-baseline",
        "把检出项写入基线文件，已有的理由保留；新增的项填写理由和人员后才生效",
        "Write what was found to a baseline; reasons in it are kept, new entries hold once reason and person are given",
    ),
    (
        "zhijian scan --ocr",
        "识读按钮、标题类图片中的文字，须装有 tesseract 及 chi_sim 数据，较慢",
        "Recognise the text in pictures of buttons and titles; needs tesseract with chi_sim, and time",
    ),
    (
        "zhijian scan --verify-signature",
        "用 apksigner 校验 APK 签名是否有效，须已安装；不加此项只读取证书",
        "Check the signature of an APK by apksigner, when it is installed; else only the certificate is read",
    ),
    (
        "zhijian scan --isolated",
        "每个文件在独立进程中检测，内存、时间、文件和网络受限（见 sandbox）；上限由配置文件的 [scan] 设定",
        "Scan each file in a process of its own, with limits on memory, time, files and network (see sandbox); [scan] of the configuration sets them",
    ),
    ("zhijian scan --all", "展开全部证据、提及和未检视内容", "Unfold all evidence, mentions and gaps"),
    ("zhijian scan --color", "颜色：auto（默认）、always、never", "Colours: auto (default), always, never"),
    ("zhijian scan --quiet", "不向标准输出写报告，不显示进度", "No report on standard output, no progress"),
    (
        "zhijian scan --config",
        "配置文件（抓取网址和 --isolated 时用），默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration for addresses and --isolated; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    (
        "zhijian diff",
        "比对前后两个版本：哪些功能已整改、未整改、新增，哪些换了名称仍在（隐形变异）",
        "Compare two versions: what was rectified, what is left, what is new, what goes on under another label",
    ),
    (
        "zhijian diff OLD",
        "原版本：安装包、文件夹，或者存为 JSON 的报告",
        "Earlier version: a package, a folder, or a report stored as JSON",
    ),
    ("zhijian diff NEW", "现版本，同上", "Later version, the same"),
    ("zhijian diff --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    (
        "zhijian diff --rules",
        "使用该目录中的规则，不用内置规则；存储的报告仍为当时的规则",
        "Use the rules of this directory; stored reports keep those they were made by",
    ),
    (
        "zhijian diff --fail-on",
        "仍有该级别的功能或隐形变异时退出码为 1（suspected 疑似，含无法判断；confirmed 确认）",
        "Exit with 1 when functions or disguises of this level are left: suspected (also what cannot be told), confirmed",
    ),
    ("zhijian diff --all", "展开全部证据", "Unfold all evidence"),
    ("zhijian diff --color", "颜色：auto（默认）、always、never", "Colours: auto (default), always, never"),
    (
        "zhijian notice",
        "按报告生成整改通知书（DOCX 或 HTML），列明问题、依据、证据、整改要求和期限",
        "Write the notice of rectification for a report (DOCX or HTML): findings, basis, evidence, deadline",
    ),
    (
        "zhijian notice REPORT",
        "存为 JSON 的报告，或者安装包、文件夹",
        "A report stored as JSON, or a package, or a folder",
    ),
    ("zhijian notice --number", "文号，如 某网信整〔2026〕12号", "Number of the notice"),
    ("zhijian notice --deadline", "整改期限，如 2026-12-25", "Last day for rectification: 2026-12-25"),
    (
        "zhijian notice --output",
        "写入的文件，以 .docx 或 .html 结尾",
        "File to write, ending in .docx or .html",
    ),
    ("zhijian notice --issuer", "发文机关", "Office that sends it"),
    (
        "zhijian notice --owner",
        "主送单位，默认为报告中登记的主办单位",
        "Unit it goes to; default: the registered owner in the report",
    ),
    ("zhijian notice --contact", "报送整改报告的地址、电话", "Where the answer goes: address, telephone"),
    ("zhijian notice --issued", "发文日期，默认为今天", "Day of the notice; default: today"),
    ("zhijian notice --scanned", "检测日期，报告本身不记录", "Day of the scan, which a report does not hold"),
    (
        "zhijian notice --only",
        "只写这些规则的问题，以逗号分隔，如 app.check-in,app.ranking",
        "Only what these rules found, separated by commas: app.check-in,app.ranking",
    ),
    (
        "zhijian notice --rules",
        "检测安装包时使用该目录中的规则",
        "Rules of this directory, where a package is scanned",
    ),
    (
        "zhijian fetch",
        "从网址或应用市场取安装包，存入本地存储，给出 sha256 和市场所载信息",
        "Fetch packages from addresses and app stores into the store; prints digest and listing",
    ),
    (
        "zhijian fetch ADDRESS",
        "安装包的下载地址，或应用宝、华为、小米、vivo 应用页，或 F-Droid 仓库（…/repo#包名）；公众号的发布列表为 weixin-api:AppID",
        "Address of a package, of a page of Tencent MyApp, AppGallery, Xiaomi or vivo, or F-Droid (…/repo#package); posts of a WeChat account: weixin-api:APPID",
    ),
    (
        "zhijian fetch --config",
        "配置文件，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    (
        "zhijian fetch --format",
        "输出格式：terminal（默认）、jsonl（每个地址一行 JSON）",
        "Output: terminal (default), jsonl (one JSON object for each address)",
    ),
    ("zhijian fetch --quiet", "不显示进度", "No progress"),
    (
        "zhijian plan",
        "说明按名录运行将做什么、哪些无变化、哪些会跳过及原因、至少需要多久，不发出请求",
        "Say what a run of a roster will do, skip and why, and how long at the least; asks nobody",
    ),
    (
        "zhijian plan ROSTER",
        "名录（CSV、XLSX、XLS 或 ODS），有列名行：类型、名称、地址、主办单位、备案编号、许可证编号、发布类等；地址为网址，或相对于名录所在目录的路径",
        "Roster: CSV, XLSX, XLS or ODS with the columns kind, name, address, owner, filing, licence, publishes and others; addresses of the web, or paths below the roster's folder",
    ),
    (
        "zhijian plan --weixin",
        "账号主体同意抓取微信公众平台文章的文件名称或文号；不写明则不访问 mp.weixin.qq.com，该平台禁止自动抓取",
        "Document by which the owners of the accounts allow mp.weixin.qq.com to be asked, whose operator bars crawlers; without it the host is left out",
    ),
    (
        "zhijian plan --max-age",
        "距上次抓取不到这么久的不再询问，如 30m、12h（默认）、7d；规则有变时重新检测已存内容，不发请求",
        "What was fetched less than this ago is not asked for again: 30m, 12h (default), 7d; changed rules scan what is stored, without a request",
    ),
    (
        "zhijian plan --rules",
        "使用该目录中的规则，不用内置规则",
        "Use the rules of this directory, not the embedded ones",
    ),
    (
        "zhijian plan --config",
        "配置文件，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    ("zhijian plan --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    ("zhijian plan --all", "全部列出，不作省略", "Show all rows of every list"),
    (
        "zhijian run",
        "按名录抓取并检测，可随时中断，再次运行即从中断处继续；报告和日志存于存储目录的 runs 中",
        "Fetch and scan a roster; may be broken off at any moment, the next run goes on; reports and logs are in the store, under runs",
    ),
    ("zhijian run ROSTER", "名录，同 plan", "Roster, as for plan"),
    (
        "zhijian run --weixin",
        "账号主体同意抓取微信公众平台文章的文件名称或文号，记入日志和汇总；不写明则不访问 mp.weixin.qq.com",
        "Document by which the owners of the accounts allow mp.weixin.qq.com to be asked, kept in log and summary; without it the host is left out",
    ),
    (
        "zhijian run --max-age",
        "距上次抓取不到这么久的不再询问，如 30m、12h（默认）、7d",
        "What was fetched less than this ago is not asked for again: 30m, 12h (default), 7d",
    ),
    (
        "zhijian run --rules",
        "使用该目录中的规则，不用内置规则",
        "Use the rules of this directory, not the embedded ones",
    ),
    (
        "zhijian run --config",
        "配置文件，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    (
        "zhijian run --format",
        "汇总的格式：terminal（默认）、json",
        "Format of the summary: terminal (default), json",
    ),
    ("zhijian run --all", "全部列出，不作省略", "Show all rows of every list"),
    (
        "zhijian run --record",
        "把本次报告登记到台账；台账已有的不重复登记，中断后再次运行即补登",
        "Record the reports in the ledger; what it has is not told twice, what is missing is made up",
    ),
    ("zhijian run --database", "台账所在数据库，同 record", "Database of the ledger, as for record"),
    ("zhijian run --quiet", "不显示进度和汇总", "No progress, no summary"),
    (
        "zhijian fleet",
        "汇总一次名录运行或者一个文件夹的检测报告：按赋码、功能、地区、主办单位计数，趋势，问题最重的十个，未能检视的内容",
        "Sum up the run of a roster, or a folder of reports: counts by code, function, region and owner, trend, the worst ten, what could not be seen",
    ),
    (
        "zhijian fleet ROSTER",
        "已用 run 检测过的名录；给出 --reports 时可以省略",
        "Roster that has been run; may be left out where --reports is given",
    ),
    (
        "zhijian fleet --output",
        "写到该文件，.html 或 .xlsx（每个对象一行），可多次给出",
        "Write to this file, .html or .xlsx (a row for every target); may be repeated",
    ),
    (
        "zhijian fleet --reports",
        "改用该文件夹中 scan --format json 的报告，给出名录的，按标识、名称、地址对应",
        "Use the reports of scan --format json in this folder, joined to the roster by id, name and address",
    ),
    ("zhijian fleet --sheet", "名录所在的工作表", "Sheet of the roster"),
    ("zhijian fleet --config", "配置文件", "Configuration"),
    (
        "zhijian journal",
        "列出抓取日志：每一次请求，以及未发出的请求和原因",
        "Show the journal of requests: those made, and those not made and why",
    ),
    ("zhijian journal --host", "只列出该主机", "Only this host"),
    ("zhijian journal --last", "最近多少条（默认 50）", "How many of the latest (default 50)"),
    (
        "zhijian journal --config",
        "配置文件，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    (
        "zhijian record",
        "登记事件：检测、备案、整改通知、整改报告、关停等，写入台账",
        "Record what happened to a target: scans, filings, notices, rectification, closure",
    ),
    (
        "zhijian record --database",
        "台账所在数据库：sqlite:文件 或者 postgres://…，默认为本地存储中的 ledger.db；也可用环境变量 ZHIJIAN_DATABASE",
        "Database of the ledger: sqlite:FILE or postgres://…; default: ledger.db in the store; or ZHIJIAN_DATABASE",
    ),
    ("zhijian record --config", "配置文件", "Configuration"),
    ("zhijian record --by", "经办人，默认为系统用户名", "Who acts; default: the login name"),
    (
        "zhijian record --at",
        "发生时间，如 2026-11-25 或者 “2026-11-25 14:30”（北京时间），默认为现在",
        "When it happened: 2026-11-25 or \"2026-11-25 14:30\" (Beijing); default: now",
    ),
    (
        "zhijian record scan",
        "登记检测报告（JSON），报告原文一并存入台账",
        "Record reports (JSON); the ledger keeps them whole",
    ),
    (
        "zhijian record scan REPORTS",
        "scan --format json 的报告，或者存放报告的文件夹（如 run 的 reports）",
        "Reports of scan --format json, or folders of them (reports of a run)",
    ),
    (
        "zhijian record scan --target",
        "对象，不给出时按报告中的标识、主办单位和名称确定",
        "The target; without it told by id, owner and name in the report",
    ),
    ("zhijian record filing", "登记备案", "Record a filing"),
    (
        "zhijian record filing TARGET",
        "对象：标识、其中一部分或者名称",
        "Target: its key, a part of it, or its name",
    ),
    ("zhijian record filing --number", "政务应用程序备案编号", "Filing number"),
    ("zhijian record revocation", "登记备案撤销", "Record that a filing is revoked"),
    ("zhijian record revocation TARGET", "对象", "Target"),
    ("zhijian record revocation --reason", "原因", "Why"),
    ("zhijian record notice", "登记已下达的整改通知", "Record a notice of rectification"),
    ("zhijian record notice TARGET", "对象", "Target"),
    ("zhijian record notice --document", "通知文号", "Number of the notice"),
    ("zhijian record notice --deadline", "整改期限的最后一天，如 2026-12-31", "Last day: 2026-12-31"),
    (
        "zhijian record notice --rule",
        "通知所涉规则，可多次给出；默认为全部已确认、未整改的问题",
        "Rules it is about, may be repeated; default: all confirmed findings that are open",
    ),
    ("zhijian record rectification", "登记主办单位的整改报告", "Record that the owner reports rectification"),
    ("zhijian record rectification TARGET", "对象", "Target"),
    ("zhijian record rectification --statement", "整改情况", "What was done"),
    ("zhijian record closure", "登记关停注销", "Record that a target is closed down"),
    ("zhijian record closure TARGET", "对象", "Target"),
    ("zhijian record closure --reason", "公告或者原因", "Announcement or reason"),
    (
        "zhijian record withdrawal",
        "撤回误录的事件；台账保留原事件，但不再计入",
        "Withdraw an event recorded by mistake; it stays in the ledger and counts no longer",
    ),
    ("zhijian record withdrawal EVENT", "事件号", "Number of the event"),
    ("zhijian record withdrawal --reason", "原因", "Why"),
    (
        "zhijian review",
        "人工复核：按轻重缓急列出未了结的问题，确认、驳回、准予例外",
        "Review by a person: what is open by urgency; confirm, dismiss, grant exceptions",
    ),
    ("zhijian review --database", "台账所在数据库，同 record", "Database of the ledger, as for record"),
    ("zhijian review --config", "配置文件", "Configuration"),
    ("zhijian review list", "列出未了结的问题，急的在前", "List what is open, urgent first"),
    ("zhijian review list --as-of", "截至何时，默认为现在", "As of when; default: now"),
    ("zhijian review list --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    ("zhijian review list --all", "全部列出", "List all"),
    ("zhijian review confirm", "确认问题属实", "Confirm a finding"),
    ("zhijian review confirm TARGET", "对象", "Target"),
    ("zhijian review confirm RULE", "规则编号，如 app.check-in", "Id of the rule: app.check-in"),
    ("zhijian review confirm --reason", "理由", "Why"),
    ("zhijian review confirm --by", "复核人，默认为系统用户名", "Who decides; default: the login name"),
    ("zhijian review confirm --at", "何时，默认为现在", "When; default: now"),
    (
        "zhijian review dismiss",
        "驳回误判；同样的证据不再提出，证据变化时重新提出",
        "Dismiss a finding; the same evidence does not come back, new evidence does",
    ),
    ("zhijian review dismiss TARGET", "对象", "Target"),
    ("zhijian review dismiss RULE", "规则编号", "Id of the rule"),
    ("zhijian review dismiss --reason", "理由", "Why"),
    ("zhijian review dismiss --by", "复核人", "Who decides"),
    ("zhijian review dismiss --at", "何时，默认为现在", "When; default: now"),
    (
        "zhijian review except",
        "依据文件准予例外，到期自动失效",
        "Grant an exception by a document; it ends by itself",
    ),
    ("zhijian review except TARGET", "对象", "Target"),
    ("zhijian review except RULE", "规则编号", "Id of the rule"),
    ("zhijian review except --document", "依据文件的文号", "Number of the document"),
    ("zhijian review except --scope", "适用范围", "What it covers"),
    ("zhijian review except --until", "有效期的最后一天", "Last day it holds"),
    ("zhijian review except --by", "经办人", "Who decides"),
    ("zhijian review except --at", "自何时起，默认为现在", "From when; default: now"),
    (
        "zhijian code",
        "赋码：由台账和政策推算，可查现状、经过和依据，可试算其他政策",
        "Colour codes by ledger and policy: present, history, reasons, simulation",
    ),
    ("zhijian code --database", "台账所在数据库，同 record", "Database of the ledger, as for record"),
    ("zhijian code --config", "配置文件", "Configuration"),
    ("zhijian code show", "显示一个对象的赋码", "Show the code of a target"),
    ("zhijian code history", "列出一个对象历次赋码", "List the codes of a target over time"),
    (
        "zhijian code explain",
        "逐次说明赋码变化：依据的事件和政策条文",
        "Explain every turn: its events and the sentence of the policy",
    ),
    ("zhijian code list", "列出全部对象的赋码，重的在前", "List the codes of all targets, gravest first"),
    (
        "zhijian code list --code",
        "只列该赋码：green、blue、red、none，可多次给出",
        "Only this code, may be repeated: green, blue, red, none",
    ),
    ("zhijian code list --owner", "只列主办单位名称含此文字的", "Only owners whose name contains this"),
    ("zhijian code list --region", "只列地区含此文字的", "Only regions that contain this"),
    (
        "zhijian code list --level",
        "只列该层级：central、province、city、county、township",
        "Only this level: central, province, city, county, township",
    ),
    ("zhijian code list --all", "全部列出", "List all"),
    (
        "zhijian code simulate",
        "用另一份政策推算全部对象，列出赋码会改变的对象；不写台账",
        "Compute all codes by another policy and list what changes; writes nothing",
    ),
    ("zhijian code simulate POLICY", "政策文件，写法同 rules/policy.yaml", "Policy, as rules/policy.yaml"),
    ("zhijian code simulate --all", "全部列出", "List all"),
    (
        "zhijian code decide",
        "由人决定是否赋红码：再次检出且逾期未改的才可决定",
        "Decide about red, where something was found again and is overdue",
    ),
    ("zhijian code decide TARGET", "对象", "Target"),
    ("zhijian code decide DECISION", "red 赋红码，not-red 暂不赋红码", "red, or not-red"),
    ("zhijian code decide --reason", "依据或者理由", "Document or reason"),
    ("zhijian code decide --by", "决定人", "Who decides"),
    ("zhijian code decide --at", "何时，默认为现在", "When; default: now"),
    (
        "zhijian code export",
        "导出赋码清单，按文件名结尾：json、jsonl、csv、xlsx",
        "Export the codes, by the end of the file name: json, jsonl, csv, xlsx",
    ),
    ("zhijian code export FILE", "文件，可给出多个", "File, may be repeated"),
    (
        "zhijian code export --code",
        "只导出该赋码：green、blue、red、none，可多次给出",
        "Only this code, may be repeated: green, blue, red, none",
    ),
    ("zhijian code export --owner", "只导出主办单位名称含此文字的", "Only owners whose name contains this"),
    ("zhijian code export --region", "只导出地区含此文字的", "Only regions that contain this"),
    (
        "zhijian code export --level",
        "只导出该层级：central、province、city、county、township",
        "Only this level: central, province, city, county, township",
    ),
    (
        "zhijian code picture",
        "把一个对象的赋码绘成图片，二维码指向报告",
        "Draw the code of a target, with a QR code to its report",
    ),
    (
        "zhijian code picture TARGET",
        "对象：标识、其中一部分或者名称",
        "Target: its key, a part of it, or its name",
    ),
    ("zhijian code picture FILE", "文件，以 .svg 或 .png 结尾", "File that ends in .svg or .png"),
    (
        "zhijian code picture --address",
        "二维码指向的网址，默认为配置文件中 [ledger] report-address 所指的报告",
        "Address the QR code leads to; default: the report, by [ledger] report-address of the configuration",
    ),
    (
        "zhijian code picture --width",
        "PNG 的宽度，像素（默认 600）",
        "Width of a PNG in pixels (default 600)",
    ),
    (
        "zhijian code export --as-of",
        "截至何时：日期（当日终了）或时间，默认为现在",
        "As of a day (its end) or a moment; default: now",
    ),
    ("zhijian code export --rules", "使用该目录中的规则和政策", "Use the rules and policy of this directory"),
    (
        "zhijian code picture --as-of",
        "截至何时：日期（当日终了）或时间，默认为现在",
        "As of a day (its end) or a moment; default: now",
    ),
    (
        "zhijian code picture --rules",
        "使用该目录中的规则和政策",
        "Use the rules and policy of this directory",
    ),
    (
        "zhijian ledger",
        "台账：核验是否完整、查看事件、导入名录、备份和恢复",
        "The ledger: verify, look, import rosters, back up, restore",
    ),
    ("zhijian ledger --database", "台账所在数据库，同 record", "Database of the ledger, as for record"),
    ("zhijian ledger --config", "配置文件", "Configuration"),
    (
        "zhijian ledger verify",
        "核验散列链和检测报告，发现改动或者缺失时退出码为 1",
        "Verify the chain of hashes and the reports; exit with 1 when something was changed or is missing",
    ),
    (
        "zhijian ledger verify --head",
        "以前记下的末位散列（赋码文书中也有），用以发现台账被整体改写",
        "A last hash noted before (code documents carry one): shows that the ledger was written anew",
    ),
    ("zhijian ledger log", "列出事件", "List events"),
    ("zhijian ledger log TARGET", "只列该对象的事件", "Only events of this target"),
    ("zhijian ledger log --last", "列出最近多少个，默认 30", "How many of the latest; default 30"),
    (
        "zhijian ledger import",
        "把名录导入台账：先显示变化，加 --apply 才写入",
        "Import a roster: shows what changes, writes with --apply",
    ),
    ("zhijian ledger import ROSTER", "名录（CSV、XLSX）", "Roster (CSV, XLSX)"),
    (
        "zhijian ledger import --filings",
        "备案清单；给出时以清单为准登记备案",
        "Filing list; with it, what it says of filings is recorded",
    ),
    ("zhijian ledger import --apply", "写入台账", "Write it"),
    ("zhijian ledger import --by", "经办人", "Who acts"),
    ("zhijian ledger import --at", "何时，默认为现在", "When; default: now"),
    (
        "zhijian ledger backup",
        "备份整个台账到一个文件：全部事件和检测报告；不含配置、签名密钥、用户和密码、名录文件、下载的安装包",
        "Back up the whole ledger to one file: every event and report; not configuration, keys, users and passwords, roster files, fetched packages",
    ),
    (
        "zhijian ledger backup FILE",
        "备份文件，不覆盖已有的文件",
        "The file; one that is there already is not overwritten",
    ),
    (
        "zhijian ledger restore",
        "从备份恢复到空台账，两种数据库之间也可以",
        "Restore a backup into an empty ledger, of either kind of database",
    ),
    ("zhijian ledger restore FILE", "备份文件", "The file"),
    (
        "zhijian code show TARGET",
        "对象：标识、其中一部分或者名称",
        "Target: its key, a part of it, or its name",
    ),
    (
        "zhijian code history TARGET",
        "对象：标识、其中一部分或者名称",
        "Target: its key, a part of it, or its name",
    ),
    (
        "zhijian code explain TARGET",
        "对象：标识、其中一部分或者名称",
        "Target: its key, a part of it, or its name",
    ),
    (
        "zhijian code show --as-of",
        "截至何时，如 2026-11-25，默认为现在",
        "As of when: 2026-11-25; default: now",
    ),
    ("zhijian code show --rules", "使用该目录中的规则和政策", "Use the rules and policy of this directory"),
    ("zhijian code show --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    (
        "zhijian code history --as-of",
        "截至何时，如 2026-11-25，默认为现在",
        "As of when: 2026-11-25; default: now",
    ),
    (
        "zhijian code history --rules",
        "使用该目录中的规则和政策",
        "Use the rules and policy of this directory",
    ),
    ("zhijian code history --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    (
        "zhijian code explain --as-of",
        "截至何时，如 2026-11-25，默认为现在",
        "As of when: 2026-11-25; default: now",
    ),
    (
        "zhijian code explain --rules",
        "使用该目录中的规则和政策",
        "Use the rules and policy of this directory",
    ),
    ("zhijian code explain --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    (
        "zhijian code list --as-of",
        "截至何时，如 2026-11-25，默认为现在",
        "As of when: 2026-11-25; default: now",
    ),
    ("zhijian code list --rules", "使用该目录中的规则和政策", "Use the rules and policy of this directory"),
    ("zhijian code list --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    (
        "zhijian code simulate --as-of",
        "截至何时，如 2026-11-25，默认为现在",
        "As of when: 2026-11-25; default: now",
    ),
    (
        "zhijian code simulate --rules",
        "使用该目录中的规则和政策",
        "Use the rules and policy of this directory",
    ),
    (
        "zhijian code simulate --format",
        "输出格式：terminal（默认）、json",
        "Output: terminal (default), json",
    ),
    (
        "zhijian ledger verify --format",
        "输出格式：terminal（默认）、json",
        "Output: terminal (default), json",
    ),
    ("zhijian ledger log --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    (
        "zhijian ledger import --format",
        "输出格式：terminal（默认）、json",
        "Output: terminal (default), json",
    ),
    (
        "zhijian roster",
        "检查名录、比较两版名录、比对备案数据",
        "Check a roster, compare two, compare with filings",
    ),
    (
        "zhijian roster check",
        "读取名录，列出未能读取的行及原因、重复的行、未填写的字段，有未能读取或重复的行时退出码为 1",
        "Read a roster: rows that cannot be read and why, repeated rows, fields not filled in; exits with 1 when there are such rows",
    ),
    ("zhijian roster check ROSTER", "名录，CSV、XLSX、XLS 或 ODS", "Roster: CSV, XLSX, XLS or ODS"),
    (
        "zhijian roster check --sheet",
        "工作簿中的工作表，默认为第一个有列名行的",
        "Sheet of a workbook; default: the first that has a line of headings",
    ),
    (
        "zhijian roster check --config",
        "配置文件，[roster.columns] 可指定列名的含义，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration, where [roster.columns] says what headings mean; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    ("zhijian roster check --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    ("zhijian roster check --all", "全部列出，不作省略", "Show all rows of every list"),
    (
        "zhijian roster diff",
        "比较两版名录：新增、变更（逐字段）、移出",
        "Compare two rosters: what is added, changed (field by field), removed",
    ),
    ("zhijian roster diff OLD", "旧名录", "The old roster"),
    ("zhijian roster diff NEW", "新名录", "The new roster"),
    (
        "zhijian roster diff --sheet",
        "工作簿中的工作表，默认为第一个有列名行的",
        "Sheet of a workbook; default: the first that has a line of headings",
    ),
    (
        "zhijian roster diff --config",
        "配置文件，[roster.columns] 可指定列名的含义，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration, where [roster.columns] says what headings mean; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    ("zhijian roster diff --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    ("zhijian roster diff --all", "全部列出，不作省略", "Show all rows of every list"),
    (
        "zhijian roster compare",
        "备案数据比对：名录、备案清单与检测所见相互比对",
        "Compare a roster with a filing list and with what was seen",
    ),
    ("zhijian roster compare ROSTER", "名录，CSV、XLSX、XLS 或 ODS", "Roster: CSV, XLSX, XLS or ODS"),
    (
        "zhijian roster compare --filings",
        "备案清单（CSV、XLSX、XLS 或 ODS），含备案编号及名称或包名，可有主办单位、备案日期、状态",
        "Filing list: CSV, XLSX, XLS or ODS with number, name or id, and if there are, owner, date, state",
    ),
    (
        "zhijian roster compare --seen",
        "存放检测报告（JSON）的目录",
        "Folder of reports (JSON) of what was scanned",
    ),
    (
        "zhijian roster compare --sheet",
        "工作簿中的工作表，默认为第一个有列名行的",
        "Sheet of a workbook; default: the first that has a line of headings",
    ),
    (
        "zhijian roster compare --config",
        "配置文件，[roster.columns] 可指定列名的含义，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration, where [roster.columns] says what headings mean; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    (
        "zhijian roster compare --format",
        "输出格式：terminal（默认）、json",
        "Output: terminal (default), json",
    ),
    ("zhijian roster compare --all", "全部列出，不作省略", "Show all rows of every list"),
    (
        "zhijian inventory",
        "按数量限制、备案期限、功能重叠等规则核查整个名录，给出按服务对象的整合建议",
        "Judge a roster as a whole: quotas, filing deadline, overlap; proposes what to consolidate",
    ),
    ("zhijian inventory ROSTER", "名录，CSV、XLSX 或 ODS", "Roster: CSV, XLSX or ODS"),
    (
        "zhijian inventory --reports",
        "存放检测报告（JSON）的目录，用于比较功能和填报项目",
        "Folder of reports (JSON), by which functions and fields are compared",
    ),
    (
        "zhijian inventory --as-of",
        "核查的日期，如 2026-11-25；默认为今天",
        "Day to judge on, 2026-11-25; default: today",
    ),
    (
        "zhijian inventory --rules",
        "使用该目录中的规则，不用内置规则",
        "Use the rules of this directory, not the embedded ones",
    ),
    (
        "zhijian inventory --sheet",
        "工作簿中的工作表，默认为第一个有列名行的",
        "Sheet of a workbook; default: the first that has a line of headings",
    ),
    (
        "zhijian inventory --config",
        "配置文件，[roster.columns] 可指定列名的含义，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration, where [roster.columns] says what headings mean; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    ("zhijian inventory --format", "输出格式：terminal（默认）、json", "Output: terminal (default), json"),
    (
        "zhijian inventory --all",
        "展开提及、全部对象和功能清单，不作省略",
        "Unfold mentions, all targets and lists of functions",
    ),
    ("zhijian rules", "查看、校验和测评规则", "Look at, check and measure the rules"),
    (
        "zhijian rules --rules",
        "使用该目录中的规则，不用内置规则",
        "Use the rules of this directory, not the embedded ones",
    ),
    ("zhijian rules list", "列出全部规则", "List the rules"),
    (
        "zhijian rules show",
        "查看一条规则的说明、依据和示例",
        "Show a rule: what, why, basis, signals, examples",
    ),
    ("zhijian rules show ID", "规则编号，如 app.check-in", "Id of the rule: app.check-in"),
    (
        "zhijian rules check",
        "运行每条规则自带的示例，有不符时退出码为 1",
        "Run the examples inside every rule; exits with 1 when one fails",
    ),
    (
        "zhijian rules measure",
        "测评规则：目录中的短语和安装包已由人工标注，逐一判定，列出各条规则的误报、漏检、精确率和召回率（附 95% 的 Wilson 区间）及每一处不符。疑似、确认算检出，提及不算；必备功能已具备的记为确认。\n\n短语：每条规则一个文件（*.yaml），rule 为规则编号，match 为应当检出的，no_match 为不应检出的。一条短语的写法同规则示例，如 {text: 到岗签到, role: control, walk: 卫健, why: 定点}，也可以用 html 写一段网页；walk（领域）和 why（理由）只供查看。账号的短语按文章、群组的短语按聊天记录读取后判定。\n\n安装包：packages.yaml，每项有 file（相对于该目录）或者 sha256（在 --packages 目录中查找），labels 为规则编号到 yes、no 或 unclear，另可写 source（来源）和 saw（所见证据）。找不到或者不能检测的逐一说明，退出码为 2。",
        "Measure the rules: judges the phrases and packages of a folder that people have labelled, and prints for each rule what was found falsely and missed, precision and recall (with Wilson's interval of 95 %), and every disagreement. Suspected and confirmed count as found, a mention does not; a duty that is met counts as confirmed.\n\nPhrases: one file a rule (*.yaml): rule is its id, match what it must find, no_match what it must not. A phrase is written like an example of a rule, {text: 到岗签到, role: control, walk: health, why: place}, or as an element of a page (html); walk (of life) and why are for readers. Phrases of accounts are read as articles and those of groups as messages before they are judged.\n\nPackages: packages.yaml; each entry has file (from the folder) or sha256 (looked for below --packages), labels from rule ids to yes, no or unclear, and may have source and saw (the evidence). What is not found or cannot be scanned is said one by one, and the exit code is 2.",
    ),
    (
        "zhijian rules measure DIR",
        "目录，其中有短语文件、packages.yaml，或者两者都有",
        "Folder with files of phrases, packages.yaml, or both",
    ),
    (
        "zhijian rules measure --packages",
        "按 sha256 查找安装包的目录（含子目录）",
        "Folder, with those in it, in which packages are found by their sha256",
    ),
    (
        "zhijian rules measure --format",
        "输出格式：terminal（默认）、json",
        "Output: terminal (default), json",
    ),
    ("zhijian key", "生成、查看签名用的密钥", "Make and show keys that sign documents"),
    (
        "zhijian key new",
        "生成私钥，写入仅本人可读的文件；输出公钥，供核验签名的一方使用",
        "Make a private key, in a file that its owner alone can read; prints the public key for those who verify",
    ),
    (
        "zhijian key new --algorithm",
        "算法：ed25519（默认）、sm2（SM2 与 SM3）",
        "Algorithm: ed25519 (default), sm2 (SM2 with SM3)",
    ),
    (
        "zhijian key new --output",
        "私钥文件，已存在时不覆盖",
        "File of the private key; an existing one is not overwritten",
    ),
    (
        "zhijian key show",
        "输出公钥及其编号，可另存为公钥文件",
        "Print the public key and its id; may be kept as the file of the public key",
    ),
    ("zhijian key show FILE", "私钥或公钥文件（PEM）", "File of a private or public key (PEM)"),
    (
        "zhijian sign",
        "对 JSON 文件（报告、赋码、导出的清单）签名，签名写在另一文件中",
        "Sign a JSON document (report, code, export); the signature goes into a file of its own",
    ),
    ("zhijian sign DOCUMENT", "JSON 文件", "JSON document"),
    (
        "zhijian sign --key",
        "私钥文件（PEM），默认为配置文件中的 [seal] key",
        "File of the private key (PEM); default: [seal] key of the configuration",
    ),
    (
        "zhijian sign --output",
        "签名文件，默认为原文件名加 .sig",
        "File of the signature; default: the name of the document with .sig",
    ),
    (
        "zhijian sign --config",
        "配置文件，默认为用户配置目录中的 zhijian/zhijian.toml",
        "Configuration; default: zhijian/zhijian.toml in the user's configuration folder",
    ),
    (
        "zhijian verify",
        "核验签名：有效时退出码为 0，无效为 1，无法核验为 2",
        "Verify a signature: exits with 0 when it is valid, 1 when it does not hold, 2 when that cannot be told",
    ),
    ("zhijian verify DOCUMENT", "被签名的 JSON 文件", "JSON document that was signed"),
    (
        "zhijian verify --signature",
        "签名文件，默认为原文件名加 .sig",
        "File of the signature; default: the name of the document with .sig",
    ),
    (
        "zhijian verify --key",
        "信任的公钥文件，或存放公钥（.pem）的文件夹，可多次给出",
        "File of a trusted public key, or folder of such (.pem); may be repeated",
    ),
    (
        "zhijian outbox",
        "回调通知：查看、发送、重发",
        "Look at, send and send again the notices to other programs",
    ),
    ("zhijian outbox --database", "台账所在数据库，同 record", "Database of the ledger, as for record"),
    ("zhijian outbox --config", "配置文件", "Configuration"),
    ("zhijian outbox list", "列出通知及对方的答复", "List notices and what was answered"),
    (
        "zhijian outbox list --state",
        "只列出该状态：waiting 待发送、delivered 已送达、dead 已放弃",
        "Only of this state: waiting, delivered, dead",
    ),
    ("zhijian outbox list --last", "最近多少条（默认 50）", "How many of the latest (default 50)"),
    (
        "zhijian outbox send",
        "发送到时间的通知，未全部送达时退出码为 3",
        "Send the notices whose time has come; exits with 3 when not all have arrived",
    ),
    ("zhijian outbox retry", "重发一条未送达的通知", "Try a notice that has not arrived anew"),
    ("zhijian outbox retry ID", "通知的编号", "Id of the notice"),
    (
        "zhijian serve",
        "启动服务：网页、接口、定期检测，一条命令即可",
        "Start the service: web pages, API, schedule; one command does",
    ),
    (
        "zhijian serve --database",
        "数据库：sqlite:文件 或者 postgres://…，默认为存储目录中的 ledger.db",
        "Database: sqlite:FILE or postgres://…; ledger.db in the store by default",
    ),
    ("zhijian serve --config", "配置文件", "Configuration"),
    (
        "zhijian serve --rules",
        "规则所在目录，默认用内置规则",
        "Directory of rules; the embedded ones by default",
    ),
    (
        "zhijian serve --log-format",
        "日志格式：text 文本（默认）、json",
        "Format of the log: text (default), json",
    ),
    (
        "zhijian serve --workers",
        "同时处理多少项有人等待的任务（默认 2），0 为不处理",
        "Jobs somebody waits for that are done at a time (default 2), 0 for none",
    ),
    (
        "zhijian serve --scheduled-workers",
        "同时处理多少项定期任务（默认 2），0 为不处理",
        "Scheduled jobs that are done at a time (default 2), 0 for none",
    ),
    (
        "zhijian serve --listen",
        "监听地址，默认 127.0.0.1:8650",
        "Address to listen on, 127.0.0.1:8650 by default",
    ),
    (
        "zhijian worker",
        "只处理任务：与同一 PostgreSQL 数据库上的服务分担",
        "Only do jobs, for a service on the same PostgreSQL database",
    ),
    (
        "zhijian worker --database",
        "数据库：sqlite:文件 或者 postgres://…，默认为存储目录中的 ledger.db",
        "Database: sqlite:FILE or postgres://…; ledger.db in the store by default",
    ),
    ("zhijian worker --config", "配置文件", "Configuration"),
    (
        "zhijian worker --rules",
        "规则所在目录，默认用内置规则",
        "Directory of rules; the embedded ones by default",
    ),
    (
        "zhijian worker --log-format",
        "日志格式：text 文本（默认）、json",
        "Format of the log: text (default), json",
    ),
    (
        "zhijian worker --workers",
        "同时处理多少项有人等待的任务（默认 2），0 为不处理",
        "Jobs somebody waits for that are done at a time (default 2), 0 for none",
    ),
    (
        "zhijian worker --scheduled-workers",
        "同时处理多少项定期任务（默认 2），0 为不处理",
        "Scheduled jobs that are done at a time (default 2), 0 for none",
    ),
    ("zhijian config", "配置", "The configuration"),
    (
        "zhijian config --database",
        "数据库：sqlite:文件 或者 postgres://…，默认为存储目录中的 ledger.db",
        "Database: sqlite:FILE or postgres://…; ledger.db in the store by default",
    ),
    ("zhijian config --config", "配置文件", "Configuration"),
    (
        "zhijian config check",
        "检查配置，列出生效的值及其来源",
        "Check the configuration: what holds, and where it is from",
    ),
    (
        "zhijian formats",
        "列出可检测的格式、检视的部分、解码器版本和上限",
        "List formats, parts read, versions of decoders and limits",
    ),
    (
        "zhijian demo",
        "生成一个虚构的小省份（名录、检测、历次赋码），并打开工作台",
        "Make a small invented province with roster, scans and history, and open the workplace on it",
    ),
    (
        "zhijian demo FOLDER",
        "存放的空文件夹，结束后保留；默认为临时文件夹，结束后删除",
        "An empty folder to keep it in; by default a temporary one that is removed at the end",
    ),
    (
        "zhijian demo --listen",
        "监听地址，默认 127.0.0.1 的任一空闲端口",
        "Address to listen on, by default any free port of 127.0.0.1",
    ),
    ("zhijian demo --no-browser", "不打开浏览器，只显示地址", "Do not open a browser, only show the address"),
    (
        "zhijian doctor",
        "查看本机有哪些可选程序、字体和隔离，缺少的影响哪些功能",
        "Show which optional programs, fonts and isolation are here, and what is missing without them",
    ),
    ("zhijian doctor --database", "台账所在数据库，同 record", "Database of the ledger, as for record"),
    ("zhijian doctor --config", "配置文件", "Configuration"),
    ("zhijian doctor --json", "输出 JSON，供程序使用", "Print JSON, for programs"),
    (
        "zhijian sandbox",
        "检验本机对检测进程的隔离：逐项尝试越界，列明哪些被阻止",
        "Show how far scans are isolated on this machine: tries each thing that a scan may not do",
    ),
    (
        "zhijian schema",
        "输出报告等文件的 JSON Schema",
        "Print the JSON Schema of reports and other documents",
    ),
    (
        "zhijian schema DOCUMENT",
        "report 报告（默认）、diff 整改比对、code 赋码、signature 签名、webhook 回调通知",
        "report (default), diff, code, signature or webhook",
    ),
    ("zhijian completions", "输出命令补全脚本", "Print a completion script"),
    (
        "zhijian completions SHELL",
        "bash、zsh、fish、elvish 或 powershell",
        "bash, zsh, fish, elvish or powershell",
    ),
    ("zhijian man", "输出手册页（roff）", "Print the man page (roff)"),
];

const EXIT_ZH: &str = "\
退出码：
  0  完成
  1  检出或者仍有 --fail-on 所指级别的功能，或规则示例不符，或名录有未能读取的行，或台账核验不符，或签名无效
  2  有文件未能检测，或参数、规则有误（与 1 同时出现时为 2）
  3  run 结束时有对象失败、跳过或未及处理；outbox send 未全部送达";

const EXIT_EN: &str = "\
Exit codes:
  0  done
  1  findings of the level of --fail-on (diff: left), rules that fail their examples, rows of a
     roster that cannot be read, a ledger that is not whole, a signature that does
     not hold
  2  something could not be scanned, or wrong arguments or rules (also when 1 applies too)
  3  run: targets failed, were skipped or were not reached; outbox send: not all has arrived";

const ROSTER_ZH: &str = "\
名录示例：
  类型,名称,地址,主办单位,备案编号,许可证编号,发布类
  移动应用程序,某市网格通,https://app.example.gov.cn/grid.apk,某市大数据局,,,
  公众账号,某市发布,https://www.example.gov.cn/rss.xml,某市人民政府,,,是
  工作群组,某街道值守群,exports/duty.json,某街道,,,
类型：移动应用程序、小程序、快应用、公众账号、工作群组
地址：安装包、应用市场页、文章、订阅源、网站的网址；本地的安装包、文件夹、网页、导出记录";

const ROSTER_EN: &str = "\
A roster:
  kind,name,address,owner,filing,licence,publishes
  app,Grid,https://app.example.gov.cn/grid.apk,Data Bureau,,,
  account,City News,https://www.example.gov.cn/rss.xml,City Government,,,yes
  group,Duty,exports/duty.json,Street Office,,,
Kinds: app, mini-program, quick-app, account, group
Addresses: of packages, pages of app stores, articles, feeds, sites; or paths of packages,
folders, saved pages, exports";

const TEMPLATE_ZH: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

/// What the library that reads the arguments says in English of its own, in Chinese.
const OF_THE_LIBRARY: &[(&str, &str)] = &[
    ("Usage: ", "用法："),
    ("[OPTIONS]", "[选项]"),
    ("命令:", "命令："),
    ("参数:", "参数："),
    ("选项:", "选项："),
    ("For more information, try '--help'.", "用 --help 查看说明。"),
];

/// Help, version or what is wrong with the arguments.
pub(super) fn told(error: &clap::Error, lang: Lang) -> String {
    let chinese = |text: String| {
        OF_THE_LIBRARY.iter().fold(text, |text, (english, chinese)| text.replace(english, chinese))
    };
    match (lang, error.use_stderr().then(|| wrong(error)).flatten()) {
        (Lang::En, _) => error.render().ansi().to_string(),
        (Lang::Zh, None) => chinese(error.render().ansi().to_string()),
        (Lang::Zh, Some(wrong)) => {
            let usage = error.get(ContextKind::Usage).map(|usage| chinese(format!("\n{usage}\n")));
            format!("zhijian: {wrong}。\n{}\n用 --help 查看说明。\n", usage.unwrap_or_default())
        }
    }
}

/// What is wrong with the arguments, in Chinese; `None` for what has no words here.
fn wrong(error: &clap::Error) -> Option<String> {
    let of = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::Strings(all)) => Some(all.join("、")),
        Some(ContextValue::StyledStr(_) | ContextValue::None) | None => None,
        Some(one) => Some(one.to_string()),
    };
    let visible = |text: String| zhijian::report::visible(&text).into_owned();
    let argument = of(ContextKind::InvalidArg);
    let value = of(ContextKind::InvalidValue).map(visible);
    let mut out = match error.kind() {
        ErrorKind::InvalidValue if value.as_deref().is_some_and(str::is_empty) => {
            format!("{} 没有给出值", argument?)
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("{} 的值“{}”无效", argument?, value?)
        }
        ErrorKind::UnknownArgument => format!("没有参数“{}”", visible(argument?)),
        ErrorKind::InvalidSubcommand => {
            format!("没有命令“{}”", visible(of(ContextKind::InvalidSubcommand)?))
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数 {}", argument?),
        ErrorKind::MissingSubcommand => "缺少命令".to_owned(),
        ErrorKind::ArgumentConflict => match of(ContextKind::PriorArg) {
            Some(prior) if Some(&prior) != argument.as_ref() => {
                format!("{} 不能与 {prior} 同时给出", argument?)
            }
            _ => format!("{} 只能给出一次", argument?),
        },
        _ => return None,
    };
    if let Some(valid) = of(ContextKind::ValidValue).filter(|valid| !valid.is_empty()) {
        out.push_str(&format!("，可用：{valid}"));
    }
    if let Some(cause) = error.source() {
        out.push_str(&format!("：{cause}"));
    }
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    if let Some(near) = near.into_iter().find_map(of) {
        out.push_str(&format!("，相近的有 {near}"));
    }
    Some(out)
}

/// Puts words to a command and everything below it.
pub(super) fn worded(command: Command, lang: Lang) -> Command {
    let mut command = node(command, "zhijian", lang);
    let exit = lang.pick(EXIT_ZH, EXIT_EN);
    command = command.after_help(exit);
    command = command.mut_subcommand("plan", |plan| plan.after_help(lang.pick(ROSTER_ZH, ROSTER_EN)));
    for name in ["scan", "diff", "run"] {
        command = command.mut_subcommand(name, |sub| sub.after_help(exit));
    }
    command.mut_subcommand("rules", |rules| rules.mut_subcommand("check", |check| check.after_help(exit)))
}

fn node(mut command: Command, path: &str, lang: Lang) -> Command {
    if lang == Lang::Zh {
        command =
            command.help_template(TEMPLATE_ZH).subcommand_help_heading("命令").subcommand_value_name("命令");
    }
    let version = (path == "zhijian").then(|| flag("version", 'V', ArgAction::Version));
    command = command
        .about(find(path, lang))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .disable_help_subcommand(true)
        .arg(flag("help", 'h', ArgAction::Help))
        .args(version)
        .mut_args(|arg| {
            let found = find(&key(path, &arg), lang);
            let heading = match (lang, arg.is_positional()) {
                (Lang::En, _) => None,
                (Lang::Zh, true) => Some("参数"),
                (Lang::Zh, false) => Some("选项"),
            };
            arg.help(found).help_heading(heading)
        });
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        let below = format!("{path} {name}");
        command = command.mut_subcommand(name, |sub| node(sub, &below, lang));
    }
    command
}

fn flag(name: &'static str, short: char, action: ArgAction) -> Arg {
    Arg::new(name).long(name).short(short).action(action)
}

/// Where the words of an argument are; `--help` is the same everywhere.
fn key(path: &str, arg: &Arg) -> String {
    match arg.get_long() {
        Some("help") => "zhijian --help".into(),
        Some(long) => format!("{path} --{long}"),
        None => format!("{path} {}", arg.get_id().as_str().to_uppercase()),
    }
}

fn find(key: &str, lang: Lang) -> &'static str {
    TEXTS.iter().find(|(name, _, _)| *name == key).map_or("", |(_, zh, en)| lang.pick(zh, en))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn keys(command: &Command, path: &str, out: &mut BTreeSet<String>) {
        out.insert(path.to_owned());
        out.extend(command.get_arguments().map(|arg| key(path, arg)));
        for sub in command.get_subcommands() {
            keys(sub, &format!("{path} {}", sub.get_name()), out);
        }
    }

    #[test]
    fn everything_has_words_and_no_words_are_left_over() {
        let mut used = BTreeSet::new();
        keys(&crate::cli::command(Lang::Zh), "zhijian", &mut used);
        let written: BTreeSet<String> = TEXTS.iter().map(|(key, _, _)| (*key).to_owned()).collect();
        assert_eq!(used.difference(&written).collect::<Vec<_>>(), [""; 0], "have no words");
        assert_eq!(written.difference(&used).collect::<Vec<_>>(), [""; 0], "words for nothing");
        assert_eq!(written.len(), TEXTS.len(), "a key is there twice");
    }

    #[test]
    fn the_definition_is_sound() {
        crate::cli::command(Lang::Zh).debug_assert();
        crate::cli::command(Lang::En).debug_assert();
    }
}
