const berth = require("@berth/berth");
const tokenizer = require("@berth/berth/tokenizer");

console.log(typeof berth.AdamW, typeof tokenizer.BertTokenizer);
