//! Folding: one spelling for texts that look or mean the same, with a map back to the stored text.
//!
//! Folded are: compatibility forms (NFKC: full-width letters, circled digits), letter case, Traditional
//! characters of the rules' vocabulary, invisible characters (zero-width, bidi controls, variation selectors),
//! and white space, emoji and decorative marks between two ideographs (`打 卡`, `打📍卡`).

use std::ops::Range;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// A folded text and, for every byte of it, the byte of the stored text it came from.
#[derive(Debug, Clone)]
pub struct Folded {
    text: String,
    /// `starts[i]` is the raw byte offset of the character that produced folded byte `i`.
    starts: Vec<u32>,
    /// Raw byte offset behind the character that produced folded byte `i`.
    ends: Vec<u32>,
}

impl Folded {
    /// Folds a text. Offsets are kept in 32 bits: what lies beyond 4 GiB of one text is cut off.
    pub fn new(raw: &str) -> Self {
        let mut folded =
            Folded { text: String::with_capacity(raw.len()), starts: Vec::new(), ends: Vec::new() };
        walk(raw, |ch, start, end| folded.push(ch, start, end));
        folded
    }

    fn push(&mut self, ch: char, start: u32, end: u32) {
        self.text.push(ch);
        self.starts.resize(self.text.len(), start);
        self.ends.resize(self.text.len(), end);
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The range of the stored text that a range of folded bytes came from.
    pub fn raw_range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.starts.get(range.start).copied().unwrap_or_default() as usize;
        let end = range.end.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default();
        start..(end as usize).max(start)
    }
}

/// The folded text alone, without the map back.
pub fn fold(raw: &str) -> String {
    let mut folded = String::with_capacity(raw.len());
    walk(raw, |ch, _, _| folded.push(ch));
    folded
}

/// Hands over the folded characters with the raw byte range each came from.
#[inline]
pub(crate) fn walk(raw: &str, mut push: impl FnMut(char, u32, u32)) {
    let table: &[char] = &SIMPLIFIED;
    let simplified =
        |ch: char| (ch as usize).checked_sub(0x4E00).and_then(|i| table.get(i)).copied().unwrap_or(ch);
    let mut line = Line { push: &mut push, empty: true, last_cjk: false, gap: None };
    let limit = u32::MAX as usize;
    let raw = match raw.len() > limit {
        true => (limit - 3..=limit).rev().find_map(|at| raw.get(..at)).unwrap_or_default(),
        false => raw,
    };
    for (at, ch) in raw.char_indices() {
        let (start, end) = (at as u32, (at + ch.len_utf8()) as u32);
        if matches!(ch, '\u{4E00}'..='\u{9FFF}') {
            line.shown(simplified(ch), true, start, end);
        } else if ch.is_ascii_graphic() {
            line.shown(ch.to_ascii_lowercase(), false, start, end);
        } else if is_invisible(ch) || (line.last_cjk && is_combining(ch)) {
            continue;
        } else if is_blank(ch) {
            line.blank(start, end);
        } else {
            // The compatibility form of a mark may be a mark itself: U+FFEE is `○`, U+2017 a space with a line under it.
            for part in ch.nfkc().flat_map(char::to_lowercase) {
                if is_blank(part) {
                    line.blank(start, end);
                } else if !(line.last_cjk && is_combining(part)) {
                    line.shown(simplified(part), is_cjk(part), start, end);
                }
            }
        }
    }
}

/// Writes out characters, and the gaps of spaces and marks between them as one space unless ideographs are on both
/// sides.
struct Line<'p, F> {
    push: &'p mut F,
    empty: bool,
    last_cjk: bool,
    gap: Option<(u32, u32)>,
}

impl<F: FnMut(char, u32, u32)> Line<'_, F> {
    #[inline]
    fn shown(&mut self, ch: char, cjk: bool, start: u32, end: u32) {
        if let Some((gap_start, gap_end)) = self.gap.take()
            && !(self.last_cjk && cjk)
            && !self.empty
        {
            (self.push)(' ', gap_start, gap_end);
        }
        (self.push)(ch, start, end);
        self.empty = false;
        self.last_cjk = cjk;
    }

    fn blank(&mut self, start: u32, end: u32) {
        self.gap = Some((self.gap.map_or(start, |gap| gap.0), end));
    }
}

/// Whether a character is an ideograph of Chinese text.
pub fn is_cjk(ch: char) -> bool {
    matches!(ch, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' | '\u{2F00}'..='\u{2FDF}' | '\u{2E80}'..='\u{2EFF}')
}

/// Whether a text holds an ideograph.
pub fn has_cjk(text: &str) -> bool {
    // The lead byte of U+3000 and above is 0xE3 or more: most texts fail this without being decoded.
    text.as_bytes().iter().any(|&byte| byte >= 0xE2) && text.chars().any(is_cjk)
}

/// Format characters that take no room: they disguise a word without changing how it looks.
pub fn is_invisible(ch: char) -> bool {
    matches!(ch, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
        || (ch.is_control() && !ch.is_whitespace())
}

/// White space and what between ideographs is no more than that.
fn is_blank(ch: char) -> bool {
    ch.is_whitespace() || is_decoration(ch)
}

/// Accents and lines through a letter, which no ideograph has.
fn is_combining(ch: char) -> bool {
    matches!(ch, '\u{0300}'..='\u{036F}')
}

fn is_decoration(ch: char) -> bool {
    matches!(ch, '·' | '・' | '•' | '\u{20D0}'..='\u{20FF}' | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}'
        | '\u{2500}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}'
        // Letters without a shape: Hangul fillers and the empty Braille cell.
        | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}')
}

/// The simplified form of every character from U+4E00 to U+9FFF.
static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut table: Vec<char> = ('\u{4E00}'..='\u{9FFF}').collect();
    for pair in TRADITIONAL.split_whitespace() {
        let mut chars = pair.chars();
        if let (Some(from), Some(to)) = (chars.next(), chars.next())
            && let Some(slot) = (from as usize).checked_sub(0x4E00).and_then(|i| table.get_mut(i))
        {
            *slot = to;
        }
    }
    table
});

/// Traditional and simplified character of each pair, for the vocabulary of interfaces and offices.
/// Characters with several simplified readings are left out unless one reading rules here.
const TRADITIONAL: &str = "\
    並并 亞亚 佈布 佔占 併并 來来 侶侣 係系 俠侠 倉仓 個个 們们 偉伟 側侧 傑杰 備备 傳传 傷伤 儀仪 億亿 償偿 優优 儲储 內内 兩两 冊册 凍冻 別别 則则 劃划 \
    劇剧 劑剂 動动 務务 勝胜 勞劳 勢势 勳勋 勵励 匯汇 匱匮 區区 協协 卻却 參参 員员 問问 啟启 喚唤 單单 圍围 園园 圖图 團团 執执 堅坚 報报 場场 壓压 壞坏 \
    夠够 夢梦 夾夹 奪夺 婦妇 孫孙 學学 實实 審审 寫写 寶宝 將将 專专 尋寻 對对 導导 屆届 層层 屬属 岡冈 島岛 峽峡 嶺岭 帥帅 師师 帳账 帶带 幣币 幹干 幾几 \
    庫库 廠厂 廢废 廣广 廳厅 張张 強强 彈弹 彙汇 後后 從从 復复 徵征 徹彻 恆恒 悅悦 惡恶 態态 慶庆 憂忧 應应 懲惩 懷怀 戰战 戲戏 戶户 掃扫 掛挂 擇择 擊击 \
    擔担 據据 擠挤 擬拟 擴扩 擺摆 攔拦 攝摄 敵敌 數数 斷断 於于 時时 晝昼 暫暂 曆历 書书 會会 條条 極极 榮荣 構构 樓楼 標标 樣样 樹树 橋桥 機机 檔档 檢检 \
    檯台 欄栏 權权 歐欧 歡欢 歲岁 歷历 歸归 殘残 殺杀 氣气 決决 沒没 況况 測测 準准 溝沟 溫温 滅灭 滯滞 滿满 漢汉 漸渐 潔洁 澤泽 濃浓 濕湿 濟济 災灾 為为 \
    無无 熱热 燈灯 營营 爭争 狀状 狹狭 獎奖 獨独 獲获 獻献 現现 瑪玛 環环 產产 畢毕 畫画 異异 當当 療疗 發发 盜盗 盡尽 監监 盤盘 眾众 碩硕 確确 碼码 礎础 \
    禍祸 禦御 禮礼 稅税 種种 稱称 積积 穩稳 窮穷 競竞 筆笔 節节 範范 築筑 簡简 簽签 籌筹 籤签 糧粮 糾纠 紀纪 約约 紅红 納纳 純纯 紙纸 級级 紛纷 細细 紹绍 \
    終终 組组 結结 絕绝 絡络 給给 統统 絲丝 經经 綜综 綠绿 維维 網网 緊紧 線线 編编 緩缓 練练 縣县 縮缩 總总 績绩 織织 繪绘 繫系 繳缴 繼继 續续 罰罚 罷罢 \
    羅罗 義义 習习 聖圣 聞闻 聯联 聰聪 聲声 職职 聽听 肅肃 脫脱 腦脑 腳脚 腸肠 膽胆 臉脸 臨临 臺台 與与 舉举 舊旧 艦舰 艱艰 莊庄 華华 萬万 葉叶 蓋盖 藍蓝 \
    藝艺 藥药 蘇苏 處处 虛虚 號号 蟲虫 術术 衛卫 衝冲 裏里 補补 裝装 裡里 製制 複复 襲袭 覈核 見见 規规 視视 覺觉 覽览 觀观 訂订 計计 訊讯 討讨 訓训 託托 \
    記记 訪访 設设 許许 訴诉 診诊 註注 評评 詞词 詢询 試试 話话 該该 詳详 誌志 認认 語语 誠诚 誤误 說说 誰谁 課课 調调 談谈 請请 論论 諮咨 諾诺 謀谋 謝谢 \
    謹谨 證证 識识 譜谱 譯译 議议 護护 譽誉 讀读 讓让 讚赞 豐丰 貝贝 負负 財财 貢贡 貧贫 貨货 貫贯 責责 貴贵 買买 費费 貼贴 貿贸 資资 賓宾 賞赏 賣卖 賦赋 \
    質质 賬账 賴赖 購购 賽赛 贈赠 贊赞 贏赢 贖赎 趕赶 趨趋 跡迹 踐践 蹟迹 躍跃 車车 軌轨 軍军 軟软 較较 載载 輔辅 輕轻 輪轮 輸输 轄辖 轉转 轟轰 辦办 辭辞 \
    辯辩 農农 這这 連连 週周 進进 遊游 運运 過过 達达 違违 遞递 遠远 遲迟 遷迁 選选 遺遗 還还 邊边 郵邮 鄉乡 鄭郑 鄰邻 醫医 釋释 釘钉 針针 鈕钮 鈴铃 銀银 \
    銜衔 銷销 鋪铺 錄录 錢钱 錯错 錶表 鍵键 鍾钟 鎖锁 鎮镇 鏈链 鏡镜 鐘钟 鐵铁 鑑鉴 鑒鉴 長长 門门 閉闭 開开 閒闲 間间 閱阅 闆板 闖闯 關关 陣阵 陰阴 陳陈 \
    陸陆 陽阳 隊队 際际 隨随 險险 隱隐 雖虽 雙双 雜杂 雞鸡 離离 難难 雲云 電电 霧雾 靈灵 靜静 韓韩 響响 頁页 頂顶 項项 順顺 須须 預预 頒颁 頓顿 頗颇 領领 \
    頭头 頻频 顆颗 題题 額额 願愿 類类 顧顾 顯显 風风 颱台 飛飞 飯饭 飲饮 館馆 饋馈 馬马 駐驻 駕驾 駛驶 騎骑 騙骗 驅驱 驗验 驚惊 驟骤 體体 鬆松 鬥斗 魚鱼 \
    魯鲁 鮮鲜 鳥鸟 麗丽 麥麦 麵面 麼么 黃黄 點点 黨党 齊齐 齡龄 龍龙";

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(raw: &str) -> String {
        Folded::new(raw).as_str().to_owned()
    }

    #[test]
    fn disguises_fold_to_the_plain_word() {
        for raw in
            ["打卡", "打 卡", "打\u{200B}卡", "打\u{3000}卡", "打📍卡", "打·卡", "打\u{FE0F}卡", "打\n卡"]
        {
            assert_eq!(fold(raw), "打卡", "{raw:?}");
        }
        for raw in ["打\u{FFEE}卡", "打\u{2017}卡", "打\u{0332}卡\u{0332}", "打\u{3164}卡", "打\u{2800}卡"]
        {
            assert_eq!(fold(raw), "打卡", "{raw:?}");
        }
        assert_eq!(fold("積分排行榜"), "积分排行榜");
        assert_eq!(fold("簽到"), "签到");
        assert_eq!(fold("ＣＨＥＣＫ ｉｎ"), "check in");
        assert_eq!(fold("第①名"), "第1名");
    }

    #[test]
    fn spaces_between_words_of_other_scripts_stay() {
        assert_eq!(fold("  Check   in "), "check in");
        assert_eq!(fold("第 3 名"), "第 3 名");
        assert_eq!(fold("\u{200B}"), "");
        assert_eq!(fold(""), "");
    }

    #[test]
    fn ranges_lead_back_to_the_stored_text() {
        let raw = "今日 打\u{200B} 卡 OK";
        let folded = Folded::new(raw);
        let at = folded.as_str().find("打卡").unwrap();
        assert_eq!(&raw[folded.raw_range(at..at + "打卡".len())], "打\u{200B} 卡");
    }

    #[test]
    fn traditional_pairs_are_pairs() {
        for pair in TRADITIONAL.split_whitespace() {
            assert_eq!(pair.chars().count(), 2, "{pair}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_range_is_a_valid_slice(raw in "\\PC*") {
            let folded = Folded::new(&raw);
            for (at, ch) in folded.as_str().char_indices() {
                let range = folded.raw_range(at..at + ch.len_utf8());
                proptest::prop_assert!(raw.get(range).is_some());
            }
        }

        #[test]
        fn folding_again_changes_nothing(raw in "[\\x20-\\x7E打卡\u{2000}-\u{2FFF}\u{300}-\u{36F}\u{140}\u{FF00}-\u{FFFF}]*") {
            let folded = fold(&raw);
            proptest::prop_assert_eq!(fold(&folded), folded);
        }
    }
}
