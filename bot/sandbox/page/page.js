// A chat that looks and behaves like Telegram, drawn from what the sandbox server sends.

const ui = Object.fromEntries([...document.querySelectorAll("[id]")].map((node) => [node.id, node]));
const SVG = "http://www.w3.org/2000/svg";
const phone = matchMedia("(max-width: 719px)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");

// An element from a tag, its properties and children. Data only ever becomes text or attributes, never markup.
function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") node[name] = value;
    else attr(node, name, value);
  }
  node.append(...children.flat().filter(Boolean));
  return node;
}

function attr(node, name, value) {
  if (value === false || value == null) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : value);
}

function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  attr(svg, "class", "icon");
  attr(svg, "viewBox", "0 0 24 24");
  attr(svg, "aria-hidden", "true");
  attr(svg.appendChild(document.createElementNS(SVG, "use")), "href", `#i-${name}`);
  return svg;
}

const toggle = (node, look, on) => node.classList.toggle(look, Boolean(on));
const focus = (node) => node?.focus({ preventScroll: true });
const button = (look, onclick, ...children) => h("button", { class: look, onclick }, ...children);
const clip = (tag, text) => h(tag, { class: "clip", dir: "auto" }, text);
const iconButton = (label, name, onclick) => h("button", { class: "round", "aria-label": label, onclick }, icon(name));

// Fills `node` if `key` differs from last time: what did not change keeps its selection, focus and sound.
const keys = new WeakMap();
function fill(node, key, make) {
  const text = JSON.stringify(key ?? null);
  if (keys.get(node) === text) return false;
  keys.set(node, text);
  const targets = () => [...node.querySelectorAll("a, button, input")];
  const focused = targets().indexOf(document.activeElement);
  node.replaceChildren(...(key ? [make()].flat().filter(Boolean) : []));
  if (focused >= 0) focus(targets()[focused] ?? targets().at(-1) ?? node.closest("article"));
  return true;
}

// Orders `nodes` in `parent`, moving only what stands elsewhere: a moved video would stop playing.
function arrange(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, at) => parent.children[at] === node || parent.insertBefore(node, parent.children[at] ?? null));
}

// What we know. A chat is the server's fields, its messages by id, and a `desk`: what only this page knows.

let bot = null;
let people = new Map();
let chats = new Map();
let openId = null;
const pressing = new Map(); // "chat:message:data" of a pressed button → its callback id
const answered = new Set(); // callback ids; an answer may overtake the reply to our press

const openChat = () => chats.get(openId);
const allChats = () => [...chats.values()];
const messages = (chat) => [...chat.messages.values()];
const isGroup = (chat) => chat.type !== "private";
// Where several people have a private chat with the bot, its name alone would not tell them apart.
const isAlone = (chat) => isGroup(chat) || allChats().every((other) => isGroup(other) || other === chat);
const title = (chat) => isAlone(chat) ? chat.title : `${chat.title} (${speakerName(chat)})`;
const speakerName = (chat) => nameOf(people.get(chat.desk.speaker));
const sender = (message) => message.from ?? {};
const isOwn = (message, chat) => message.from?.id === chat.desk.speaker;
const nameOf = (who) => who?.title ?? who?.first_name ?? "Somebody";
const DRAFT = { text: "", files: [], asDocument: false, reply: null, edit: null, hint: "" };

function learnChat(chat) {
  const before = chats.get(chat.id);
  const desk = before?.desk ?? { ...DRAFT, speaker: chat.speakers[0], topic: null, unread: 0, doing: null };
  const known = { ...chat, desk, messages: new Map(chat.messages.map((message) => [message.message_id, message])) };
  if (!before) answerIfAsked(known, messages(known).at(-1));
  else messages(known).forEach((message) => before.messages.has(message.message_id) || arrive(known, message));
  return known;
}

function arrive(chat, message) {
  if (message.from?.is_bot) chat.desk.doing = null;
  answerIfAsked(chat, message);
  if (!isRead(chat) && !isOwn(message, chat)) chat.desk.unread += 1;
}

const isRead = (chat) => chat.id === openId && pinned && document.hasFocus();

// The bot asks with force_reply: the next words answer that very message, as in Telegram.
function answerIfAsked(chat, message) {
  const ask = message?.reply_markup;
  const asked = message?.reply_to_message?.from?.id ?? chat.desk.speaker;
  if (!ask?.force_reply || chat.desk.edit || (ask.selective && asked !== chat.desk.speaker)) return;
  Object.assign(chat.desk, { reply: message, hint: ask.input_field_placeholder ?? "" });
  wantsFocus = chat.id === openId;
}

// The socket. On connect the server sends everything: a lost connection needs no catching up.

let retries = 0;

function connect() {
  const socket = new WebSocket(new URL("socket", location.href).href.replace(/^http/, "ws"));
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onopen = () => {
    if (retries) toast("Connected again.");
    retries = 0;
    ui.offline.textContent = "";
  };
  socket.onclose = () => {
    retries += 1;
    ui.offline.textContent = "The connection is lost. Trying again…";
    setTimeout(connect, Math.min(250 * 2 ** retries, 5000));
  };
}

function receive(event) {
  const chat = chats.get(event.chat_id);
  if (event.type === "world" || event.type === "answered" || chat) RECEIVERS[event.type]?.(event, chat);
  draw();
}

const RECEIVERS = {
  world(world) {
    bot = world.bot;
    people = new Map([...world.people, bot].map((person) => [person.id, person]));
    const living = world.chats.filter((chat) => !chat.messages.some((message) => message.migrate_to_chat_id));
    chats = new Map(living.map((chat) => [chat.id, learnChat(chat)]));
    if (world.note) ui.foot.textContent = world.note;
    choose();
  },
  message({ message }, chat) {
    chat.messages.set(message.message_id, message);
    arrive(chat, message);
  },
  edit({ message }, { messages }) {
    messages.set(message.message_id, { reactions: messages.get(message.message_id)?.reactions, ...message });
  },
  delete(event, { messages }) {
    messages.delete(event.message_id);
  },
  reaction({ message_id: id, reactions }, { messages }) {
    if (messages.has(id)) messages.set(id, { ...messages.get(id), reactions });
  },
  commands(event, chat) {
    chat.commands = event.commands;
  },
  action(doing, { desk }) {
    desk.doing = doing;
    setTimeout(() => {
      if (desk.doing === doing) desk.doing = null;
      draw();
    }, 5000);
  },
  toast(event) {
    if (!event.alert) return toast(event.text);
    ui.alertText.textContent = event.text;
    if (!ui.alert.open) ui.alert.showModal();
  },
  answered(event) {
    answered.add(event.callback_id);
    for (const [key, id] of pressing) if (id === event.callback_id) release(key);
  },
};

// Posts to the server; what went wrong is said in a toast.
async function tell(path, body) {
  const form = body instanceof FormData;
  const headers = form ? {} : { "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: form ? body : JSON.stringify(body) })
    .then((response) => response.json())
    .catch(() => ({ description: "The sandbox does not answer. Is it still running?" }));
  if (!answer.ok) toast(answer.description);
  return answer;
}

// The open chat stands in the address, so the back button works and a reload stays.

function choose() {
  const wanted = Number(location.hash.slice(1));
  const left = wanted || openId;
  const moved = allChats().find((chat) => messages(chat).some((message) => message.migrate_from_chat_id === left));
  if (moved) return location.replace(`#${moved.id}`);
  open(chats.has(wanted) ? wanted : phone.matches ? null : (allChats()[0]?.id ?? null));
}

function open(id) {
  if (id === openId) return;
  openId = id;
  views.clear();
  ui.log.replaceChildren();
  attr(ui.log, "aria-busy", "true");
  pinned = true;
  draw();
  attr(ui.log, "aria-busy", null);
  showDraft();
  if (!phone.matches) focus(ui.text);
}

// Drawing. Every event redraws all; `fill` sees to it that only differences touch the page.

function draw() {
  if (!bot) return;
  const chat = openChat();
  toggle(document.body, "in-chat", chat);
  if (chat && isRead(chat)) chat.desk.unread = 0;
  drawSidebar();
  if (!chat) return;
  drawHeader(chat);
  drawComposer(chat);
  keepPlace(() => {
    drawIntro(chat);
    drawLog(chat);
  });
  ui.toEnd.hidden = pinned;
  ui.below.textContent = chat.desk.unread || "";
}

const rows = new Map();

function drawSidebar() {
  const unread = allChats().reduce((sum, chat) => sum + chat.desk.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ""}${bot.first_name} sandbox`;
  const newest = (chat) => messages(chat).at(-1)?.date ?? 0;
  arrange(ui.chats, allChats().sort((one, other) => newest(other) - newest(one)).map(drawRow));
  drawTry();
}

function drawRow(chat) {
  if (!rows.has(chat.id)) rows.set(chat.id, h("li", {}, h("a", { href: `#${chat.id}`, "data-chat-id": chat.id })));
  const row = rows.get(chat.id);
  const { unread } = chat.desk;
  const last = messages(chat).at(-1);
  const time = last && (dayOf(last) === "Today" ? clock(last) : dayOf(last));
  const doing = doingText(chat);
  const by = last && isGroup(chat) && !serviceText(last) ? `${isOwn(last, chat) ? "You" : nameOf(sender(last))}: ` : "";
  const preview = doing || (last ? by + summary(last) : "No messages yet");
  attr(row.firstChild, "aria-current", chat.id === openId && "true");
  attr(row.firstChild, "aria-label", title(chat) + (unread ? `, ${unread} unread` : ""));
  fill(row.firstChild, [title(chat), preview, time, unread], () => [
    chatAvatar(chat),
    clip("strong", title(chat)),
    h("small", {}, time),
    h("span", { class: doing ? "clip doing" : "clip", dir: "auto" }, preview),
    unread > 0 && h("b", { class: "badge" }, unread),
  ]);
  return row;
}

// What a person can try besides writing: strangers, topics, privacy mode, and things that are no words.

const THINGS = { animation: "GIF", voice: "Voice message", sticker: "Sticker", contact: "Contact" };

function drawTry() {
  const chat = openChat();
  const here = () => ({ chat_id: openId, user_id: openChat().desk.speaker, message_thread_id: openChat().desk.topic });
  const create = async (what) => {
    const { ok, chat_id: id } = await tell(what, {});
    if (ok) location.hash = id;
  };
  fill(ui.tryList, [Boolean(chat), bot.privacy, bot.inline], () => [
    button("text-button", () => create("stranger"), "A new person"),
    button("text-button", () => create("forum"), "A group with topics"),
    button("text-button", () => create("outside"), "A group without the bot"),
    button("text-button", () => tell("privacy", { on: !bot.privacy }), `Privacy mode: ${bot.privacy ? "on" : "off"}`),
    button("text-button", () => tell("inline_mode", { on: !bot.inline }), `Inline mode: ${bot.inline ? "on" : "off"}`),
    ...(chat ? Object.entries(THINGS) : []).map(([kind, name]) =>
      button("text-button", () => tell("thing", { ...here(), kind }), `Send: ${name}`)),
  ].map((item) => h("li", {}, item)));
}

function drawHeader(chat) {
  const doing = doingText(chat);
  const names = chat.members.map((id) => nameOf(people.get(id)));
  const about = isGroup(chat) ? `${names.length} members: ${names.join(", ")}` : `bot · you are ${speakerName(chat)}`;
  attr(ui.conversation, "aria-label", title(chat));
  fill(ui.face, chat.id, () => chatAvatar(chat));
  ui.title.textContent = title(chat);
  fill(ui.status, [doing, about], () => h("span", { class: doing && "doing" }, doing || about));
  const topics = [{ id: null, name: "All" }, ...(chat.topics ?? [])];
  ui.topics.hidden = topics.length < 2;
  fill(ui.topics, [chat.id, topics, chat.desk.topic], () => topics.map(({ id, name }) => {
    const onclick = () => {
      chat.desk.topic = id;
      pinned = true;
      draw();
    };
    return h("button", { "aria-pressed": String(chat.desk.topic === id), onclick }, name);
  }));
}

function doingText(chat) {
  const { doing, topic } = chat.desk;
  if (!doing || (topic && doing.thread_id && doing.thread_id !== topic)) return "";
  // As in "upload_video" and "record_video".
  const what = doing.action.replace("upload_", "sending a ").replace("_", "ing a ");
  return `${isGroup(chat) ? `${nameOf(bot)} is ` : ""}${what}…`;
}

const EXAMPLES = ["a paper boat in the rain", "a lighthouse in a storm 9:16", "a fox in fresh snow 10s"];

function drawIntro(chat) {
  const empty = !isGroup(chat) && !chat.messages.size;
  ui.intro.hidden = !empty;
  fill(ui.intro, empty && chat.id, () => [
    avatar(bot),
    h("h3", {}, "What can this bot do?"),
    h("p", {}, "It makes short videos. Say what you want to see, or send a photo and watch it move."),
    h("ul", { "aria-label": "Examples" }, EXAMPLES.map((words) =>
      h("li", {}, button("", () => say(`/video ${words}`), `/video ${words}`, icon("send"))))),
    h("p", {}, "or ", button("text-button", () => ui.picker.click(), "drop a photo here")),
    button("start", () => start(""), "Start"),
  ]);
}

// The place in the log. Who is at the end stays there; for others, what they look at stays put.

let pinned = true;

function keepPlace(change) {
  const top = ui.scroll.getBoundingClientRect().top;
  const anchor = !pinned && [...ui.log.children].find((node) => node.getBoundingClientRect().bottom > top);
  const before = anchor && anchor.getBoundingClientRect().top;
  change();
  if (pinned) return toEnd();
  const moved = anchor?.isConnected && anchor.getBoundingClientRect().top - before;
  // Even a scroll by nothing would end a smooth one.
  if (moved) ui.scroll.scrollTop += moved;
}

function toEnd(behavior = "instant") {
  pinned = true;
  ui.scroll.scrollTo({ top: ui.scroll.scrollHeight, behavior });
}

function watchPlace() {
  const sized = new ResizeObserver(() => pinned && toEnd());
  sized.observe(ui.scroll);
  sized.observe(ui.log);
  let before = 0;
  ui.scroll.onscroll = () => {
    const { scrollTop: top, scrollHeight, clientHeight } = ui.scroll;
    const atEnd = scrollHeight - top - clientHeight < 48;
    // The layout may leave the end behind, but only the reader goes upwards.
    const stays = pinned ? atEnd || top >= before : atEnd && top > before;
    before = top;
    if (stays === pinned) return;
    pinned = stays;
    draw();
  };
}

// The log: one article for each message or album, day marks between.

const views = new Map();

function drawLog(chat) {
  const { topic } = chat.desk;
  const entries = gather(messages(chat).filter((message) => !topic || message.message_thread_id === topic));
  const nodes = entries.flatMap((entry, at) => {
    const node = drawEntry(entry, chat, entries[at - 1]?.[0], entries[at + 1]?.[0]);
    const day = dayOf(entry[0]);
    return at && day === dayOf(entries[at - 1][0]) ? [node] : [dayMark(day), node];
  });
  arrange(ui.log, nodes);
  oneTabStop(document.activeElement.closest("article") ?? nodes.at(-1));
}

// An album's messages together, all others alone.
function gather(all) {
  const entries = [];
  for (const message of all) {
    const album = message.media_group_id;
    if (album && entries.at(-1)?.[0].media_group_id === album) entries.at(-1).push(message);
    else entries.push([message]);
  }
  return entries;
}

function dayMark(day) {
  if (!views.has(day)) views.set(day, { node: h("p", { class: "day" }, h("span", {}, day)) });
  return views.get(day).node;
}

function drawEntry(entry, chat, above, below) {
  const [message] = entry;
  const id = message.message_id;
  if (!views.has(id)) views.set(id, newView(id));
  const view = views.get(id);
  view.entry = entry;
  toggle(view.node, "own", isOwn(message, chat));
  toggle(view.node, "first", !isRun(above, message));
  toggle(view.node, "last", !isRun(message, below));
  drawMessage(view, message, chat);
  return view.node;
}

const isRun = (one, next) => one && next && !serviceText(one) && !serviceText(next)
  && sender(one).id === sender(next).id && next.date - one.date < 600;

function newView(id) {
  const view = { entry: [], part: {} };
  const slot = (name, ...children) => (view.part[name] = h("div", { class: name }, ...children));
  view.node = h("article", { "data-message-id": id },
    slot("side"), slot("service"), slot("stack",
      slot("bubble", slot("name"), slot("quotes"), slot("media"),
        slot("body", slot("text"), slot("reactions"), slot("meta"))),
      slot("keyboard"), slot("tools")));
  attr(view.part.text, "dir", "auto");
  view.node.ondblclick = (event) => {
    if (event.target.closest("button, a, video, .spoiler")) return;
    getSelection().removeAllRanges();
    replyTo(view.entry[0]);
  };
  announceOnce(view.node);
  return view;
}

// A message is read out when it comes; what is edited in it later stays silent.
function announceOnce(node) {
  if (ui.log.hasAttribute("aria-busy")) return attr(node, "aria-live", "off");
  node.classList.add("fresh");
  setTimeout(attr, 1000, node, "aria-live", "off");
}

function drawMessage(view, message, chat) {
  const { part, entry } = view;
  const words = entry.find((one) => one.text || one.caption) ?? message;
  const isThing = message.voice || message.sticker || message.contact;
  const text = words.text ?? words.caption ?? (isThing ? summary(message) : "");
  const entities = words.entities ?? words.caption_entities ?? [];
  const from = sender(message);
  const own = isOwn(message, chat);
  const service = serviceText(message);
  const via = message.via_bot;
  const named = (isGroup(chat) && !own && !service) || via;
  part.stack.hidden = Boolean(service);
  fill(part.service, service, () => h("span", {}, service));
  attr(view.node, "aria-label", service || `${own ? "You" : nameOf(from)}, ${clock(message)}${text ? "" : `: ${summary(words)}`}`);
  toggle(part.stack, "wide", message.reply_markup?.inline_keyboard);
  toggle(part.bubble, "bare", message.photo && !text);
  fill(part.side, named && !own && from, () => avatar(from));
  fill(part.name, named && [from, via, own], () => [
    !own && hued(h("span", { class: "hued" }, nameOf(from)), from),
    via && button("text-button", () => type(chat, ""), ` via @${via.username}`),
  ]);
  const to = message.reply_to_message;
  fill(part.quotes, to && [to, chat.desk.speaker], () => quote(to, chat));
  const isNew = fill(part.media, entry.map((one) => [one.message_id, fileOf(one)?.file_id]), () => drawMedia(entry));
  if (isNew) sizeMedia(part, entry.length > 1, mediaOf(message));
  fill(part.text, [text, entities], () => formatted(text, entities, chat));
  fill(part.reactions, message.reactions, () => message.reactions.map((emoji) => h("span", {}, emoji)));
  const edited = words.edit_date && "edited ";
  fill(part.meta, [message.date, edited, own], () => [edited, clock(message), own && icon("checks")]);
  drawKeyboard(part.keyboard, message, chat);
  fill(part.tools, [own, isEditable(message)], () => [
    iconButton("Reply", "reply", () => replyTo(view.entry[0])),
    own && isEditable(message) && iconButton("Edit", "edit", () => editMessage(view.entry[0])),
  ]);
}

const isEditable = (message) => Boolean(message.text || message.caption);

function quote(to, chat) {
  const thumbnail = to.photo?.[0] ?? (to.video ?? to.animation)?.thumbnail;
  return hued(button("quote hued", () => jumpTo(to.message_id),
    thumbnail && h("img", { src: fileUrl(thumbnail), alt: "" }),
    clip("strong", isOwn(to, chat) ? "You" : nameOf(sender(to))),
    clip("span", summary(to))), sender(to));
}

function jumpTo(id) {
  const view = [...views.values()].find((one) => one.entry?.some((message) => message.message_id === id));
  if (!view) return;
  pinned = false;
  view.node.scrollIntoView({ block: "center", behavior: calm.matches ? "instant" : "smooth" });
  view.node.animate({ background: ["#2a78c480", "#2a78c400"] }, 1600);
  step(view.node);
}

// Formatting. Entities count UTF-16 units, as JavaScript's strings do.

function formatted(text, entities, chat) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const build = (from, to, inside) => {
    const nodes = [];
    let at = from;
    while (inside.length) {
      const [entity, ...rest] = inside;
      const begin = Math.max(entity.offset, at);
      const end = Math.min(entity.offset + entity.length, to);
      inside = rest.filter((other) => other.offset >= end);
      if (begin >= end) continue;
      const inner = build(begin, end, rest.filter((other) => other.offset < end));
      nodes.push(text.slice(at, begin), entityNode(entity, text.slice(begin, end), inner, chat));
      // A block ends its line by itself.
      at = /^pre|quote$/.test(entity.type) && text[end] === "\n" ? end + 1 : end;
    }
    return [...nodes, text.slice(at, to)];
  };
  return build(0, text.length, sorted);
}

const TAGS = { bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code", text_mention: "b" };

function entityNode({ type, url }, text, inner, chat) {
  switch (type) {
    case "blockquote": return h(type, {}, inner);
    case "pre": return h("pre", {}, h("code", {}, inner));
    case "spoiler": return reveal("span", "spoiler", "Hidden text", inner);
    case "expandable_blockquote": return reveal("blockquote", "folded", "Show the whole quote", inner);
    case "text_link": return link(url, inner);
    case "url": return link(text, inner);
    case "bot_command": return button("text-button", () => say(addressed(text, chat)), inner);
    case "mention": return button("text-button", () => append(`${text} `), inner);
    default: return h(TAGS[type] ?? "span", {}, inner);
  }
}

// A spoiler or a folded quote: one press shows what it holds.
function reveal(tag, look, label, inner) {
  const node = h(tag, { class: look, "aria-label": label, role: "button", tabindex: 0 }, h("span", {}, inner));
  node.onclick = () => {
    toggle(node, "shown", true);
    for (const name of ["role", "tabindex", "aria-label"]) attr(node, name, null);
  };
  node.onkeydown = (event) => ["Enter", " "].includes(event.key) && node.click();
  return node;
}

function link(address, inner) {
  const href = URL.canParse(address) ? address : `https://${address}`;
  if (!/^(https?|tg):/i.test(href) || !URL.canParse(href)) return h("span", {}, inner);
  const { host, pathname, searchParams } = new URL(href);
  // A link that opens our own bot stays on this page.
  const payload = host === "t.me" && pathname === `/${bot.username}` ? searchParams.get("start") : null;
  const onclick = (event) => {
    // What it returned would count, too: `false` would keep every other link shut.
    if (payload !== null) { event.preventDefault(); start(payload); }
  };
  return h("a", { href, target: "_blank", rel: "noopener noreferrer", onclick }, inner);
}

// In a group a command names the bot it means.
const addressed = (command, chat) => isGroup(chat) && !command.includes("@") ? `${command}@${bot.username}` : command;

// Words for messages that have none.

const SERVICES = {
  new_chat_members: (all, by) => nameOf(by) + (all[0].id === by.id ? " joined" : ` added ${all.map(nameOf)}`),
  left_chat_member: (person) => `${nameOf(person)} left`,
  forum_topic_created: ({ name }) => `The topic “${name}” was created`,
  migrate_to_chat_id: () => "The group became a supergroup",
  migrate_from_chat_id: () => "The group became a supergroup",
};

function serviceText(message) {
  const kind = Object.keys(SERVICES).find((name) => name in message);
  return kind ? SERVICES[kind](message[kind], sender(message)) : "";
}

function summary(message) {
  const words = (message.text ?? message.caption ?? "").replace(/\s+/g, " ").trim();
  const thing = Object.keys(THINGS).find((name) => name in message);
  const kind = thing ? THINGS[thing] : message.photo ? "Photo" : mediaOf(message) ? "Video" : (message.document?.file_name ?? "File");
  return words || serviceText(message) || kind;
}

const clock = ({ date }) => new Date(date * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

function dayOf({ date }) {
  const day = new Date(date * 1000);
  if (day.toDateString() === new Date().toDateString()) return "Today";
  return day.toLocaleDateString("en", { day: "numeric", month: "short" });
}

// Media. Sizes are known before anything loads, so nothing jumps when it does.

const fileUrl = ({ file_id }) => `files/${encodeURIComponent(file_id)}`;
const mediaOf = (message) => message.photo?.at(-1) ?? message.animation ?? message.video;
const fileOf = (message) => mediaOf(message) ?? message.document;

function drawMedia(entry) {
  const all = entry.map((one) => one.photo ? photo(one) : mediaOf(one) ? video(one) : one.document && file(one));
  // The article stands for an album's first message.
  all.slice(1).forEach((node, at) => attr(node, "data-message-id", entry[at + 1].message_id));
  return all.length > 1 && mediaOf(entry[0]) ? h("div", { class: "album" }, all) : all;
}

function sizeMedia({ stack, media }, isAlbum, film) {
  stack.style.width = "";
  if (!film) return;
  const { width, height } = film;
  stack.style.width = `${isAlbum ? 420 : Math.min(420, Math.max(200, (420 * width) / height))}px`;
  if (!isAlbum) media.firstChild.style.aspectRatio = `${width} / ${Math.min(height, width * 2)}`;
}

function photo(message) {
  const src = fileUrl(mediaOf(message));
  const alt = `Photo from ${nameOf(sender(message))}`;
  const enlarge = () => {
    Object.assign(ui.viewerImage, { src, alt });
    ui.viewer.showModal();
  };
  return h("button", { class: "photo", "aria-label": "Open photo", onclick: enlarge }, h("img", { src, alt }));
}

function video(message) {
  const film = mediaOf(message);
  const node = h("video", {
    src: fileUrl(film), poster: film.thumbnail && fileUrl(film.thumbnail), width: film.width, height: film.height,
    controls: true, playsinline: true, preload: "auto", loop: !message.video,
    "aria-label": `Video: ${summary(message)}`,
  });
  node.muted = true;
  inView.observe(node);
  return node;
}

// A video plays once, silent, when it comes into view, and stops when it leaves unless its sound is on.
const inView = new IntersectionObserver((seen) => {
  for (const { target, intersectionRatio: shown } of seen) {
    if (shown < 0.2 && target.muted) target.pause();
    if (shown < 0.6 || target.dataset.played || calm.matches) continue;
    target.dataset.played = "true";
    target.play().catch(() => {});
  }
}, { threshold: [0.1, 0.6] });

function file({ document }) {
  const { file_name: name = "File", file_size: bytes = 0 } = document;
  const size = bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  return h("a", { class: "file", href: fileUrl(document), download: name },
    icon("file"), h("strong", {}, name), h("small", {}, size));
}

// Faces: a hue that stays with the person, and initials.

function hued(node, who) {
  node.style.setProperty("--hue", who.id === bot.id ? 250 : (Math.abs(who.id) % 7) * 51 + 25);
  return node;
}

function avatar(who) {
  const initials = nameOf(who).split(/\s+/).slice(0, 2).map((word) => [...word][0]).join("").toUpperCase();
  return hued(h("span", { class: "avatar", "aria-hidden": "true" }, who.id === bot.id ? icon("reel") : initials), who);
}

const chatAvatar = (chat) => avatar(isGroup(chat) ? chat : bot);

// Buttons under a message.

function drawKeyboard(node, message, chat) {
  const pressed = ({ callback_data: data }) => `${chat.id}:${message.message_id}:${data}`;
  const rows = message.reply_markup?.inline_keyboard;
  const drawKey = (one) => {
    const key = one.url ? link(one.url, [one.text, icon("link")])
      : one.copy_text ? button("", () => copy(one.copy_text.text), one.text, icon("copy"))
        : button("", () => press(pressed(one), message, one.callback_data, chat), one.text);
    const elsewhere = one.switch_inline_query_chosen_chat ?? ("switch_inline_query" in one && { query: one.switch_inline_query });
    if (elsewhere) key.onclick = () => chooseChat(elsewhere);
    if ("switch_inline_query_current_chat" in one) key.onclick = () => type(chat, one.switch_inline_query_current_chat);
    key.className = `key ${one.style ?? ""}`;
    attr(key, "aria-busy", pressing.has(pressed(one)) && "true");
    return key;
  };
  fill(node, rows?.map((row) => row.map((one) => [one, pressing.has(pressed(one))])), () =>
    rows.map((row) => h("div", {}, row.map(drawKey))));
}

async function press(pressed, message, data, chat) {
  if (pressing.has(pressed)) return;
  pressing.set(pressed, "");
  draw();
  const answer = await tell("press", { ...whoAndWhere(chat, message), data });
  if (!answer.ok || answered.has(answer.callback_id)) return release(pressed);
  pressing.set(pressed, answer.callback_id);
  setTimeout(() => pressing.get(pressed) === answer.callback_id && release(pressed), 10000);
}

const whoAndWhere = (chat, { message_id }) => ({ chat_id: chat.id, user_id: chat.desk.speaker, message_id });

function release(pressed) {
  pressing.delete(pressed);
  draw();
}

function copy(text) {
  const copied = navigator.clipboard?.writeText(text) ?? Promise.reject();
  copied.then(() => toast("Copied."), () => toast("This browser does not let the page copy."));
}

function toast(text) {
  const node = h("p", {}, text);
  ui.toasts.append(node);
  setTimeout(() => node.remove(), 3000 + 40 * text.length);
}

// Sending, one after the other, so that two quick messages keep their order.

let sending = Promise.resolve();

const say = (text) => send(openChat(), { ...DRAFT, text });

function send(chat, draft) {
  const form = sendForm(chat, draft);
  toEnd();
  sending = sending.then(() => tell("send", form)).then(({ ok }) => {
    // What was refused goes back into the composer, unless something else stands there by now.
    if (!ok && !chat.desk.text && !chat.desk.files.length) putDraft(chat, draft);
  });
}

function sendForm({ id, desk }, { text, files, reply, asDocument }) {
  const form = new FormData();
  const add = (name, value) => value && form.append(name, value);
  add("chat_id", id);
  add("user_id", desk.speaker);
  add("text", text);
  add("reply_to_message_id", reply?.message_id);
  add("message_thread_id", desk.topic ?? reply?.message_thread_id);
  add("as_document", asDocument && "1");
  for (const { blob, size } of files) {
    add("size", size);
    add("file", blob);
  }
  return form;
}

async function start(payload) {
  const person = openChat().desk.speaker;
  const { ok } = await tell("start", { user_id: person, payload });
  // A private chat has the id of its person.
  if (ok) location.hash = person;
}

// The composer. Its draft lives on the chat's desk, so each chat keeps its own.

let wantsFocus = false;

function putDraft(chat, draft) {
  Object.assign(chat.desk, draft);
  if (chat !== openChat()) return;
  wantsFocus = true;
  showDraft();
  draw();
}

function showDraft() {
  ui.text.value = openChat()?.desk.text ?? "";
  autosize();
  closeCommands();
}

function drawComposer(chat) {
  const { desk } = chat;
  drawSpeakers(chat);
  drawDraftBar(chat);
  drawFiles(chat);
  ui.menu.hidden = !chat.commands?.length;
  ui.asDocument.checked = desk.asDocument;
  ui.text.placeholder = desk.hint || "Message";
  attr(ui.send, "aria-label", desk.edit ? "Save" : "Send");
  toggle(ui.send, "ready", desk.text.trim() || desk.files.length);
  if (wantsFocus) focus(ui.text);
  wantsFocus = false;
}

function drawSpeakers(chat) {
  ui.speakers.hidden = chat.speakers.length < 2;
  fill(ui.speakers, [chat.id, chat.speakers, chat.desk.speaker], () => [
    h("span", { "aria-hidden": "true" }, "Speak as"),
    ...chat.speakers.map((id) => {
      const person = people.get(id);
      const onclick = (event) => {
        if (chat.desk.edit) cancel();
        chat.desk.speaker = id;
        // Arrow keys walk through the speakers; only a real click goes on to the composer.
        wantsFocus = event.detail > 0;
        draw();
      };
      const radio = h("input", { type: "radio", name: "speaker", checked: id === chat.desk.speaker, onclick });
      return h("label", {}, radio, avatar(person), nameOf(person));
    }),
  ]);
}

function drawDraftBar(chat) {
  const { edit, reply } = chat.desk;
  const about = edit ?? reply;
  ui.draft.hidden = !about;
  fill(ui.draft, about && [Boolean(edit), about, chat.desk.speaker], () => [
    icon(edit ? "edit" : "reply"),
    h("p", {},
      clip("strong", edit ? "Edit message" : `Reply to ${nameOf(sender(about))}`),
      clip("span", summary(about))),
    iconButton(edit ? "Cancel edit" : "Cancel reply", "close", cancel),
  ]);
}

function replyTo(message) {
  if (serviceText(message)) return;
  cancel();
  putDraft(openChat(), { reply: message, hint: message.reply_markup?.input_field_placeholder ?? "" });
}

const editMessage = (edit) => putDraft(openChat(), { ...DRAFT, edit, text: edit.text ?? edit.caption });

const lastOwn = (chat) => messages(chat).findLast((message) => isOwn(message, chat) && isEditable(message));

function cancel() {
  putDraft(openChat(), openChat().desk.edit ? DRAFT : { reply: null, hint: "" });
}

async function submit() {
  const chat = openChat();
  const { edit, files, reply, asDocument } = chat.desk;
  const text = ui.text.value.trim();
  if (!text && !files.length) return;
  if (!edit) {
    send(chat, { ...DRAFT, text, files, reply, asDocument });
    return putDraft(chat, DRAFT);
  }
  const { ok } = await tell("edit", { ...whoAndWhere(chat, edit), text });
  if (ok) putDraft(chat, DRAFT);
}

function append(text) {
  ui.text.value += text;
  focus(ui.text);
  typed();
}

function autosize() {
  ui.text.style.height = "auto";
  ui.text.style.height = `${ui.text.scrollHeight}px`;
}

function typed() {
  const chat = openChat();
  chat.desk.text = ui.text.value;
  autosize();
  drawComposer(chat);
  const query = /^\/(\w*)$/.exec(ui.text.value);
  const words = inlineWords(chat);
  if (words != null) return askInline(chat, words);
  asking = {};
  if (query && !chat.desk.edit) showCommands(query[1].toLowerCase());
  else closeCommands();
}

function composerKey(event) {
  const { key, shiftKey, isComposing } = event;
  const menu = !ui.commands.hidden;
  const last = !ui.send.matches(".ready") && lastOwn(openChat());
  if (isComposing) return;
  if (key === "Escape") (menu ? closeCommands : cancel)();
  else if (menu && key === "ArrowDown") pick(picked + 1);
  else if (menu && key === "ArrowUp") pick(picked - 1);
  else if (last && key === "ArrowUp") editMessage(last);
  else if (key === "Enter" && !shiftKey) (menu ? ui.commands.children[picked].onclick : submit)();
  else return;
  event.preventDefault();
}

// The command menu: opened by "/" or its button, filtered while typing; the composer keeps the focus.

let picked = 0;

function showCommands(query = "") {
  const found = openChat().commands.filter(({ command }) => command.startsWith(query));
  ui.commands.onscroll = null;
  showOptions(found.map(({ command, description }) =>
    h("li", { role: "option", onclick: () => takeCommand(command) },
      h("b", {}, `/${command}`), h("span", {}, description))));
}

function showOptions(options, at = 0) {
  if (!options.length) return closeCommands();
  options.forEach((option, index) => attr(option, "id", `command-${index}`));
  ui.commands.hidden = false;
  attr(ui.menu, "aria-expanded", "true");
  ui.commands.replaceChildren(...options);
  pick(at);
}

function pick(at) {
  const options = [...ui.commands.children];
  picked = (at + options.length) % options.length;
  options.forEach((option, index) => attr(option, "aria-selected", String(index === picked)));
  options[picked].scrollIntoView({ block: "nearest" });
  attr(ui.text, "aria-activedescendant", `command-${picked}`);
}

function closeCommands() {
  asking = {};
  ui.commands.hidden = true;
  attr(ui.menu, "aria-expanded", "false");
  attr(ui.text, "aria-activedescendant", null);
}

function takeCommand(command) {
  putDraft(openChat(), DRAFT);
  say(addressed(`/${command}`, openChat()));
}

// Inline mode: "@bot words" in any chat asks the bot for videos, in the same list as the commands.

let asking = {};

function inlineWords(chat) {
  const [, name, words] = /^@(\w+)\s([^]*)$/.exec(ui.text.value) ?? [];
  return bot.inline && !chat.desk.edit && name?.toLowerCase() === bot.username.toLowerCase() ? words.trim() : null;
}

// Asks when the typing pauses. What comes after something else was typed is dropped.
async function askInline(chat, query, offset = "") {
  const mine = (asking = {});
  const where = { chat_id: chat.id, user_id: chat.desk.speaker };
  await new Promise((done) => setTimeout(done, offset ? 0 : 250));
  if (asking !== mine) return;
  const answer = await tell("inline", { ...where, query, offset });
  if (asking !== mine || chat !== openChat() || !answer.ok) return;
  const options = answer.results.map((result) => resultOption(result, () => {
    putDraft(chat, DRAFT);
    toEnd();
    tell("choose", { ...where, query_id: answer.query_id, result_id: result.id });
  }));
  if (answer.button && !offset) options.unshift(h("li", { class: "above", role: "option", onclick: () => {
    putDraft(chat, DRAFT);
    start(answer.button.start_parameter);
  } }, answer.button.text));
  // Enter sends a video; it opens the button alone where there is nothing else.
  const first = answer.button && options.length > 1 ? 1 : 0;
  showOptions([...(offset ? ui.commands.children : []), ...options], offset ? picked : first);
  const more = answer.next_offset && (() => {
    const { scrollTop: top, scrollHeight, clientHeight } = ui.commands;
    if (scrollHeight - top - clientHeight > 120) return;
    ui.commands.onscroll = null;
    askInline(chat, query, answer.next_offset);
  });
  ui.commands.onscroll = more || null;
}

function resultOption({ title, description, media }, onclick) {
  const thumbnail = media.thumbnail ? h("img", { src: fileUrl(media.thumbnail), alt: "" }) : icon("file");
  return h("li", { class: "result", role: "option", onclick }, thumbnail, clip("b", title), clip("span", description ?? ""));
}

// Puts "@bot words" into the composer of a chat, as a button does that starts an inline query.
function type(chat, words) {
  putDraft(chat, { ...DRAFT, text: `@${bot.username} ${words}` });
  if (chat === openChat()) typed();
}

function chooseChat({ query = "", ...allowed }) {
  const person = openChat().desk.speaker;
  const fits = (chat) => !("allow_group_chats" in allowed) || (isGroup(chat) ? allowed.allow_group_chats : allowed.allow_bot_chats);
  const found = allChats().filter((chat) => chat.speakers.includes(person) && fits(chat));
  ui.chooserList.replaceChildren(...found.map((chat) => h("li", {}, button("", () => {
    ui.chooser.close();
    chat.desk.speaker = person;
    location.hash = chat.id;
    open(chat.id);
    type(chat, query);
  }, chatAvatar(chat), title(chat)))));
  ui.chooser.showModal();
}

// Files: chosen, dropped or pasted.

async function addFiles(list) {
  const chat = openChat();
  const files = await Promise.all([...list].map(measure));
  putDraft(chat, { files: [...chat.desk.files, ...files] });
}

async function measure(blob) {
  const url = URL.createObjectURL(blob);
  const film = blob.type.startsWith("video/");
  const node = h(film ? "video" : "img", { src: url });
  await new Promise((done) => (node.onload = node.onloadedmetadata = node.onerror = done));
  const size = film ? [node.videoWidth, node.videoHeight] : [node.naturalWidth, node.naturalHeight];
  return { blob, url, size: size.join("x"), shown: !film && size[0] > 0 };
}

function drawFiles(chat) {
  const { files } = chat.desk;
  ui.files.hidden = !files.length;
  fill(ui.fileList, files.map(({ url }) => url), () => files.map((file) => {
    const { name } = file.blob;
    return h("li", { title: name },
      file.shown ? h("img", { src: file.url, alt: name }) : [icon("file"), clip("span", name)],
      iconButton(`Remove ${name}`, "close", () => putDraft(chat, { files: files.filter((other) => other !== file) })));
  }));
}

function watchDrops() {
  const aimed = (event) => event.dataTransfer.types.includes("Files") && ui.conversation.contains(event.target);
  document.ondragover = (event) => {
    ui.drop.hidden = !aimed(event);
    event.preventDefault();
  };
  document.ondragleave = (event) => (ui.drop.hidden ||= !event.relatedTarget);
  document.ondrop = (event) => {
    ui.drop.hidden = true;
    if (aimed(event)) addFiles(event.dataTransfer.files);
    // A file dropped beside the conversation must not replace the page.
    event.preventDefault();
  };
}

// Keys in the log: one message is in the tab order, arrows go to its neighbours, Enter replies.

const articles = () => [...ui.log.querySelectorAll("article")];

function oneTabStop(node) {
  for (const article of articles()) {
    const stop = article === node ? 0 : -1;
    article.tabIndex = stop;
    for (const inner of article.querySelectorAll("a, button, video, [role=button]")) inner.tabIndex = stop;
  }
}

function step(node) {
  oneTabStop(node);
  focus(node);
}

function logKey(event) {
  const { target: node, key } = event;
  if (key === "Escape") focus(ui.text);
  if (!node.matches("article")) return;
  const all = articles();
  const at = all.indexOf(node);
  const next = { ArrowUp: all[at - 1], ArrowDown: all[at + 1], Home: all[0], End: all.at(-1) }[key];
  if (next) step(next);
  next?.scrollIntoView({ block: "nearest" });
  if (key === "Enter") replyTo(openChat().messages.get(Number(node.dataset.messageId)));
  if (next || key === "Enter") event.preventDefault();
}

// Light or dark: as the system has it, until somebody chooses here.
function watchTheme() {
  const { dataset } = document.documentElement;
  const stored = "dreamreel-theme";
  dataset.theme = localStorage.getItem(stored) ?? "";
  ui.theme.onclick = () => {
    const isDark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    dataset.theme = isDark ? "light" : "dark";
    localStorage.setItem(stored, dataset.theme);
  };
}

// The tab's icon, as a blob: the page's rules allow no data address.
function setTabIcon() {
  const shapes = '<circle cx="16" cy="16" r="16" fill="#2a78c4"/><path d="M12 9v14l11-7z" fill="#fff"/>';
  const blob = new Blob([`<svg xmlns="${SVG}">${shapes}</svg>`], { type: "image/svg+xml" });
  document.head.append(h("link", { rel: "icon", href: URL.createObjectURL(blob) }));
}

function listen() {
  ui.send.onclick = submit;
  ui.text.oninput = typed;
  ui.text.onkeydown = composerKey;
  ui.text.onpaste = (event) => {
    const { files } = event.clipboardData;
    if (!files.length) return;
    event.preventDefault();
    addFiles(files);
  };
  // A press on the menu takes the focus for a moment; it must not close what is being pressed.
  ui.commands.onpointerdown = ui.menu.onpointerdown = (event) => event.preventDefault();
  ui.text.onblur = closeCommands;
  ui.menu.onclick = () => {
    focus(ui.text);
    if (ui.commands.hidden) showCommands();
    else closeCommands();
  };
  ui.attach.onclick = () => ui.picker.click();
  ui.picker.onchange = () => addFiles([...ui.picker.files]).then(() => (ui.picker.value = ""));
  ui.asDocument.onchange = () => (openChat().desk.asDocument = ui.asDocument.checked);
  ui.toEnd.onclick = () => toEnd(calm.matches ? "instant" : "smooth");
  ui.log.onkeydown = logKey;
  ui.viewer.onclick = () => ui.viewer.close();
  phone.onchange = choose;
  onhashchange = choose;
  onfocus = draw;
}

for (const node of document.querySelectorAll("[data-icon]")) node.prepend(icon(node.dataset.icon));
watchTheme();
setTabIcon();
listen();
watchPlace();
watchDrops();
connect();
