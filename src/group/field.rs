//! What the columns and keys of exports are called, in Chinese and English and by the programs that make them.

use crate::decode::delimited;

/// What a column or a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Name of the group.
    Group,
    Platform,
    Unit,
    Owner,
    Notice,
    Purpose,
    Sign,
    /// Whether it was made for one task alone.
    Temporary,
    TaskEnd,
    MemberCount,
    /// Who is in it.
    Members,
    Sender,
    /// Id of the sender: two members may have one name.
    SenderId,
    Time,
    Content,
    /// Text, picture, video.
    Form,
}

impl Field {
    /// Whether it belongs to the group, not to a message.
    pub(super) fn is_of_group(self) -> bool {
        !matches!(self, Field::Sender | Field::SenderId | Field::Time | Field::Content | Field::Form)
    }
}

const NAMES: &[(Field, &[&str])] = &[
    (
        Field::Group,
        &[
            "群名称",
            "群名",
            "群组",
            "群组名称",
            "群聊",
            "群聊名称",
            "所在群",
            "工作群",
            "工作群名称",
            "会话",
            "会话名称",
            "聊天对象",
            "消息对象",
            "group",
            "group_name",
            "groupname",
            "chatroom",
            "chat_name",
            "chatname",
            "room",
            "room_name",
            "roomname",
            "roomid",
            "talker",
            "talkername",
            "conversation",
        ],
    ),
    (Field::Platform, &["平台", "平台名称", "所在平台", "platform", "app"]),
    (
        Field::Unit,
        &["主管单位", "责任单位", "所属单位", "管理单位", "建群单位", "主办单位", "unit", "department"],
    ),
    (Field::Owner, &["群主", "群主姓名", "群管理员", "owner", "admin"]),
    (Field::Notice, &["群公告", "公告", "群通知", "notice", "announcement"]),
    (Field::Purpose, &["用途", "群用途", "建群目的", "purpose", "usage"]),
    (Field::Sign, &["群标", "群标识", "sign", "label"]),
    (
        Field::Temporary,
        &["是否临时", "是否临时群", "临时群", "群类型", "群性质", "temporary", "is_temporary", "group_type"],
    ),
    (
        Field::TaskEnd,
        &[
            "任务结束日期",
            "任务结束时间",
            "任务结束",
            "任务截止日期",
            "任务完成日期",
            "结束日期",
            "有效期至",
            "使用期限",
            "到期日期",
            "task_end",
            "taskend",
            "task_end_date",
            "end_date",
            "expires",
        ],
    ),
    (
        Field::MemberCount,
        &["成员数", "成员数量", "成员人数", "群成员数", "群人数", "人数", "member_count", "membercount"],
    ),
    (
        Field::Members,
        &["成员", "成员列表", "成员名单", "群成员", "群成员列表", "members", "memberlist", "member_list"],
    ),
    (
        Field::Sender,
        &[
            "发送人",
            "发送者",
            "发言人",
            "发信人",
            "发件人",
            "发送人昵称",
            "群昵称",
            "成员昵称",
            "昵称",
            "姓名",
            "sender",
            "sender_name",
            "sendername",
            "senderdisplayname",
            "from",
            "from_name",
            "nickname",
            "remark",
            "user",
        ],
    ),
    (
        Field::SenderId,
        &[
            "发送人id",
            "发送者id",
            "发送人账号",
            "qq",
            "qq号",
            "微信号",
            "工号",
            "sender_id",
            "senderid",
            "senderusername",
            "userid",
            "user_id",
            "uid",
            "wxid",
        ],
    ),
    (
        Field::Time,
        &[
            "时间",
            "发送时间",
            "消息时间",
            "发言时间",
            "日期",
            "日期时间",
            "time",
            "datetime",
            "date",
            "timestamp",
            "send_time",
            "sendtime",
            "msgtime",
            "create_time",
            "createtime",
            "formattedtime",
            "strtime",
        ],
    ),
    (
        Field::Content,
        &["内容", "消息内容", "发言内容", "消息", "content", "message", "text", "msg", "strcontent", "body"],
    ),
    (
        Field::Form,
        &[
            "类型",
            "消息类型",
            "内容类型",
            "type",
            "type_name",
            "typename",
            "msgtype",
            "msg_type",
            "message_type",
        ],
    ),
];

/// The field that a heading names: `发送人（姓名）`, `Sender`.
pub(super) fn field(heading: &str) -> Option<Field> {
    let heading = delimited::heading(heading);
    NAMES.iter().find(|(_, names)| names.contains(&heading.as_str())).map(|(field, _)| *field)
}

/// Names by which nothing but a sender of messages is known; 昵称 may be the author of a post too.
pub(super) fn is_sender(heading: &str) -> bool {
    let known = ["发送", "发言人", "发信人", "群昵称", "sender", "from"];
    let heading = heading.trim().to_ascii_lowercase();
    field(&heading) == Some(Field::Sender) && known.iter().any(|known| heading.starts_with(known))
}

/// A line of a heading: `群名称：示例镇防汛工作群`.
pub(super) fn pair(line: &str) -> Option<(Field, &str)> {
    let (name, value) = line.split_once(['：', ':'])?;
    let name = name.trim_matches(|ch: char| ch.is_whitespace() || "【】[]#*".contains(ch));
    Some((field(name).filter(|field| field.is_of_group())?, value.trim()))
}
