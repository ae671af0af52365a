/** Amounts: figures, words, and what people type. */
import { describe, expect, it } from "vitest";
import { grouped, inWords, isAmount, typedAmount } from "../src/money.ts";

describe("an amount in words", () => {
  it.each([
    ["0.00", "零元整"],
    ["0.01", "壹分"],
    ["0.10", "壹角"],
    ["0.05", "伍分"],
    ["1.00", "壹元整"],
    ["10.00", "壹拾元整"],
    ["16.05", "壹拾陆元零伍分"],
    ["101.00", "壹佰零壹元整"],
    ["1010.00", "壹仟零壹拾元整"],
    ["1001.00", "壹仟零壹元整"],
    ["1409.50", "壹仟肆佰零玖元伍角"],
    ["6007.14", "陆仟零柒元壹角肆分"],
    ["325.04", "叁佰贰拾伍元零肆分"],
    ["10000.00", "壹万元整"],
    ["10001.00", "壹万零壹元整"],
    ["107000.53", "壹拾万柒仟元伍角叁分"],
    ["1000000.00", "壹佰万元整"],
    ["10050000.00", "壹仟零伍万元整"],
    ["71000000.00", "柒仟壹佰万元整"],
    ["91287654.32", "玖仟壹佰贰拾捌万柒仟陆佰伍拾肆元叁角贰分"],
    ["100000000.00", "壹亿元整"],
    ["100000001.00", "壹亿零壹元整"],
    ["100010000.00", "壹亿零壹万元整"],
    ["1234567890.12", "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"],
    ["1000000000000.00", "壹万亿元整"],
    ["1000000000001.00", "壹万亿零壹元整"],
    ["9999999999999.99", "玖万玖仟玖佰玖拾玖亿玖仟玖佰玖拾玖万玖仟玖佰玖拾玖元玖角玖分"],
  ])("says %s", (amount, words) => {
    expect(inWords(amount)).toBe(words);
  });

  it("says nothing of what is no amount", () => {
    for (const text of ["", "1", "1.0", "01.00", "1.000", "-1.00", "1e3", "１.00"]) {
      expect(inWords(text)).toBe("");
      expect(isAmount(text)).toBe(false);
    }
  });
});

describe("an amount as it is typed", () => {
  it.each([
    ["71000000", "71000000.00"],
    ["71,000,000.5", "71000000.50"],
    [" 71 000 000.05 ", "71000000.05"],
    ["７１．５", "71.50"],
    ["0071", "71.00"],
    ["0", "0.00"],
    ["12.", "12.00"],
  ])("understands %s", (typed, amount) => {
    expect(typedAmount(typed)).toBe(amount);
  });

  it("rounds nothing and guesses nothing", () => {
    for (const typed of ["1.005", "1.2.3", "", "-5", "1e9", "7100万", "99999999999999", "."]) {
      expect(typedAmount(typed)).toBeNull();
    }
  });

  it("is grouped by thousands", () => {
    expect(grouped("71000000.00")).toBe("71,000,000.00");
    expect(grouped("999.90")).toBe("999.90");
    expect(grouped("1000.00")).toBe("1,000.00");
  });
});
