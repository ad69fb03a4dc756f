// Texts, numbers and times in the page's language.

const language = document.documentElement.lang;
const texts = JSON.parse(document.querySelector("#texts").content.textContent);
const plurals = new Intl.PluralRules(language);
const clock = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
};

// Making a formatter takes longer than many uses of it.
const inTime = new Intl.DateTimeFormat(language, clock);
const inDate = { day: "numeric", month: "short" };
const withDate = new Intl.DateTimeFormat(language, { ...inDate, ...clock });
const inFull = new Intl.DateTimeFormat(language, {
  dateStyle: "long",
  timeStyle: "medium",
});
const inNumbers = new Intl.NumberFormat(language);
const inUnits = new Map();

// The text called `key`, with `values` in its {places}.
export function t(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// The text for so many of something, such as "2 requests".
export function counted(key, count) {
  return t(`${key}_${plurals.select(count)}`, { count: number(count) });
}

export function number(value) {
  return inNumbers.format(value);
}

function unit(value, name, digits) {
  const key = `${name} ${digits}`;
  if (!inUnits.has(key)) {
    const options = { style: "unit", unit: name, maximumFractionDigits: digits };
    inUnits.set(key, new Intl.NumberFormat(language, options));
  }
  return inUnits.get(key).format(value);
}

export function duration(seconds) {
  const ms = seconds * 1000;
  if (ms < 1) return unit(ms, "millisecond", 2);
  if (ms < 10) return unit(ms, "millisecond", 1);
  if (ms < 1000) return unit(ms, "millisecond", 0);
  if (seconds < 100) return unit(seconds, "second", 2);
  return unit(seconds / 60, "minute", 1);
}

export function size(bytes) {
  if (bytes < 1000) return `${number(bytes)}\u00a0${t("bytes")}`;
  if (bytes < 1_000_000) return unit(bytes / 1000, "kilobyte", 1);
  return unit(bytes / 1_000_000, "megabyte", 1);
}

// The time of day, with the date unless it is today's.
export function moment(iso) {
  const instant = new Date(iso);
  const isToday = instant.toDateString() === new Date().toDateString();
  return (isToday ? inTime : withDate).format(instant);
}

export function fullMoment(iso) {
  return inFull.format(new Date(iso));
}

// Minutes and seconds that are left, as 9:05.
export function left(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
