/**
 * The README.md of a model on a hub: YAML for the hub's search, then text for people. Pure.
 *
 * @module
 */

/** What is told about a model. */
export interface ModelCard {
  /** Its name. Default: that of its folder on the hub. */
  title?: string;
  /** What it does, in Markdown. */
  description?: string;
  /** Codes such as `"en"`. */
  language?: string | readonly string[];
  /** A code such as `"mit"`. */
  license?: string;
  /** The hub id of the model that it was fine-tuned from. */
  base_model?: string;
  /** Hub ids of the training data. */
  datasets?: readonly string[];
  /** Besides `"bert"` and `"berth"`. */
  tags?: readonly string[];
  /** The task. Default: what config.json's `architectures` say. */
  pipeline_tag?: string;
  /** Results by name, such as `{ accuracy: 0.92 }`. */
  metrics?: Readonly<Record<string, number>>;
  /** What the results were measured on. */
  evaluated_on?: string;
  /** How it was trained, by name, such as `{ learning_rate: 2e-5, epochs: 3 }`. */
  training?: Readonly<Record<string, string | number | boolean>>;
}

/** What the card takes from config.json. */
export interface CardConfig {
  /** The model's class in transformers. */
  readonly architectures?: readonly string[];
  /** The labels' names by number. */
  readonly id2label?: Readonly<Record<string, string>>;
}

/** The task and the class in transformers by the head's name. */
const TASKS: Readonly<Record<string, string>> = {
  ForSequenceClassification: "text-classification",
  ForTokenClassification: "token-classification",
  ForQuestionAnswering: "question-answering",
  ForMultipleChoice: "multiple-choice",
  ForMaskedLM: "fill-mask",
  ForPreTraining: "fill-mask",
  Model: "feature-extraction",
};

/**
 * Writes a model card.
 *
 * @param repo The model's id on the hub.
 * @param card What is told about it.
 * @param config Its config.json.
 * @returns The text of README.md.
 */
export function modelCard(repo: string, card: ModelCard = {}, config: CardConfig = {}): string {
  const [first] = config.architectures ?? [],
    architecture = typeof first === "string" ? cell(first) : "BertModel";
  const head = Object.keys(TASKS).find((name) => architecture.endsWith(name)) ?? "Model";
  const task = card.pipeline_tag ?? TASKS[head], title = cell(card.title ?? repo.split("/").pop()!);
  const sections = [
    `---\n${frontMatter(card, title, task)}---\n`,
    `# ${title}\n`,
    card.description ? `${card.description.trim()}\n` : opening(card, architecture),
    ...labels(config),
    `## Use\n\n${useOf(repo, architecture, head)}`,
    ...table(
      "Results",
      `Measured on ${card.evaluated_on ?? "the evaluation data"}.`,
      ["Metric", "Value"],
      card.metrics,
    ),
    ...table("Training", "Trained with berth.", ["Setting", "Value"], card.training),
  ];
  return sections.join("\n");
}

function frontMatter(card: ModelCard, title: string, task: string): string {
  const metrics = Object.entries(card.metrics ?? {});
  const results = metrics.map(([type, value]) => ({ type, value }));
  return yaml({
    language: card.language,
    license: card.license,
    library_name: "transformers",
    pipeline_tag: task,
    base_model: card.base_model,
    datasets: card.datasets,
    tags: [...new Set(["bert", "berth", ...card.tags ?? []])],
    metrics: metrics.length > 0 ? metrics.map(([name]) => name) : undefined,
    "model-index": card.evaluated_on && metrics.length > 0
      ? [{
        name: title,
        results: [{
          task: { type: task },
          dataset: { name: card.evaluated_on, type: card.evaluated_on },
          metrics: results,
        }],
      }]
      : undefined,
  });
}

type Yaml = string | number | boolean | undefined | readonly Yaml[] | { readonly [key: string]: Yaml };

/** The few forms of YAML that front matter needs. */
function yaml(value: { readonly [key: string]: Yaml }, indent = ""): string {
  let text = "";
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    if (Array.isArray(item)) {
      text += `${indent}${key}:\n${item.map((entry) => listEntry(entry, indent)).join("")}`;
    } else if (typeof item === "object") {
      text += `${indent}${key}:\n${yaml(item as { [key: string]: Yaml }, `${indent}  `)}`;
    } else text += `${indent}${key}: ${scalar(item as string)}\n`;
  }
  return text;
}

function listEntry(entry: Yaml, indent: string): string {
  if (typeof entry !== "object") return `${indent}- ${scalar(entry as string)}\n`;
  return `${indent}- ${yaml(entry as { [key: string]: Yaml }, `${indent}  `).trimStart()}`;
}

/** Plain where nobody could take it for something else, else as JSON, which is YAML too. */
function scalar(value: string | number | boolean): string {
  if (typeof value !== "string") return String(value);
  const isPlain = /^[A-Za-z][\w./-]*( [\w./-]+)*$/.test(value) &&
    !/^(y|n|yes|no|on|off|true|false|null)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}

function opening({ base_model, datasets }: ModelCard, architecture: string): string {
  const from = base_model ? `, fine-tuned from [${base_model}](https://huggingface.co/${base_model})` : "";
  const on = datasets?.length ? ` on ${datasets.join(", ")}` : "";
  return `A \`${architecture}\`${from}${on}.\n`;
}

function labels({ id2label }: CardConfig): string[] {
  const entries = Object.entries(id2label ?? {});
  if (entries.length === 0) return [];
  const shown = entries.slice(0, 100).map(([id, label]) => `- ${id}: ${cell(String(label))}`);
  if (entries.length > shown.length) shown.push(`- and ${entries.length - shown.length} more`);
  return [`## Labels\n\n${shown.join("\n")}\n`];
}

function useOf(repo: string, architecture: string, head: string): string {
  const name = JSON.stringify(repo),
    autoClass = head === "Model" ? "AutoModel" : `Auto${head.replace(/^For/, "ModelFor")}`;
  return [
    "```ts",
    `import { ${architecture}, BertTokenizer } from "@berth/berth";`,
    "",
    `const tokenizer = await BertTokenizer.from_pretrained(${name});`,
    `const model = await ${architecture}.from_pretrained(${name});`,
    "```",
    "",
    "```python",
    `from transformers import ${autoClass}, AutoTokenizer`,
    "",
    `tokenizer = AutoTokenizer.from_pretrained(${name})`,
    `model = ${autoClass}.from_pretrained(${name})`,
    "```",
    "",
  ].join("\n");
}

function table(
  title: string,
  note: string,
  [left, right]: readonly [string, string],
  rows: Readonly<Record<string, string | number | boolean>> | undefined,
): string[] {
  const entries = Object.entries(rows ?? {});
  if (entries.length === 0) return [];
  const lines = entries.map(([name, value]) => `| ${cell(name)} | ${cell(String(value))} |`);
  return [`## ${title}\n\n${note}\n\n| ${left} | ${right} |\n| --- | --- |\n${lines.join("\n")}\n`];
}

/** Text that stays in its line and its cell. */
function cell(text: string): string {
  return text.replace(/[\r\n]+/g, " ").replaceAll("|", "\\|");
}
