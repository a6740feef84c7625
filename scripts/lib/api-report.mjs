// What a package's entry points declare, as text that changes when their types do and stays when only words about them change. The
// declarations are read by the oldest TypeScript that users may have: the current one has no interface for programs.
import path from 'node:path';
import ts from 'typescript-5.4';
import { BuildError } from './errors.mjs';

/**
 * @param {Record<string, string>} entries declaration files by how somebody imports them, the main one first
 * @param {string} folder with the declarations; what is declared outside of it is not ours
 * @returns {Record<string, string>} a page of Markdown for each entry
 */
export function apiReport(entries, folder) {
  // Only what is ours has to be found; neither JavaScript's own declarations nor those of Node.js.
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noLib: true, types: [] };
  const program = ts.createProgram(Object.values(entries), options);
  const checker = program.getTypeChecker();
  /** @type {Map<ts.Symbol, string>} which entry describes it */
  const described = new Map();
  /** @type {Record<string, string>} */
  const pages = {};
  for (const [name, file] of Object.entries(entries)) {
    const source = program.getSourceFile(file);
    const module = source && checker.getSymbolAtLocation(source);
    if (!module) throw new BuildError(`${file} is not there, or exports nothing: npm run build:lib makes it`);
    const exported = new Map(checker.getExportsOfModule(module).map((symbol) => [symbol.name, target(symbol, checker)]));
    pages[name] = page(name, exported, described, folder, checker);
  }
  return pages;
}

/**
 * @param {string} entry
 * @param {Map<string, ts.Symbol>} exported
 * @param {Map<ts.Symbol, string>} described by the entries before this one; what is described here is added
 * @param {string} folder
 * @param {ts.TypeChecker} checker
 */
function page(entry, exported, described, folder, checker) {
  const elsewhere = new Map(described);
  /** @type {Map<ts.Symbol, string>} */
  const hidden = new Map();
  const again = [];
  const own = [];
  for (const [name, symbol] of exported) {
    const other = elsewhere.get(symbol);
    if (other !== undefined) again.push(`${name} (of ${other})`);
    else own.push(/** @type {const} */ ([name, symbol]));
    if (other === undefined) described.set(symbol, entry);
  }
  /** @param {ts.Symbol} symbol */
  const declare = (symbol) => {
    const nodes = (symbol.declarations ?? []).filter((node) => isWithin(folder, node));
    for (const used of nodes.flatMap((node) => symbolsIn(node, checker))) {
      if (described.has(used) || hidden.has(used) || !used.declarations?.some((node) => isWithin(folder, node))) continue;
      hidden.set(used, '');
      hidden.set(used, declare(used));
    }
    return nodes.map(printed).join('\n');
  };
  const texts = own.map(([name, symbol]) => /** @type {const} */ ([name, declare(symbol)]));
  const unnamed = [...hidden].map(([symbol, text]) => /** @type {const} */ ([symbol.name, text]));
  const parts = [`# ${entry}`, ...block(texts)];
  if (again.length > 0) parts.push('', `Also: ${again.sort().join(', ')}.`);
  if (unnamed.length > 0) parts.push('', '## Part of the above, and not exported', ...block(unnamed));
  return `${parts.join('\n')}\n`;
}

/** @param {(readonly [string, string])[]} declarations */
function block(declarations) {
  const sorted = declarations.toSorted(([one], [other]) => (one < other ? -1 : 1));
  return ['', '```ts', sorted.map(([, text]) => text).join('\n\n'), '```'];
}

/** What an import or a re-export stands for. @param {ts.Symbol} symbol @param {ts.TypeChecker} checker */
const target = (symbol, checker) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);

/** @param {string} folder @param {ts.Node} node */
const isWithin = (folder, node) => !path.relative(folder, node.getSourceFile().fileName).startsWith('..');

/**
 * Nobody outside can have it, or is to: a private constructor alone says something, that it is not the way to get one.
 * @param {ts.Node} node
 */
function isHidden(node) {
  if (!ts.isClassElement(node)) return false;
  if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')) return true;
  if (ts.isConstructorDeclaration(node)) return false;
  const isPrivate = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0;
  return isPrivate || (node.name !== undefined && ts.isPrivateIdentifier(node.name));
}

/** A declaration as users can see it. @param {ts.Node} node @returns {ts.Node} */
function visible(node) {
  if (!ts.isClassDeclaration(node)) return ts.isVariableDeclaration(node) ? node.parent.parent : node;
  const members = node.members.filter((member) => !isHidden(member));
  return ts.factory.updateClassDeclaration(node, node.modifiers, node.name, node.typeParameters, node.heritageClauses, members);
}

/** What a declaration names that is declared at the top of some module. @param {ts.Node} node @param {ts.TypeChecker} checker */
function symbolsIn(node, checker) {
  /** @type {Set<ts.Symbol>} */
  const found = new Set();
  const visit = (/** @type {ts.Node} */ each) => {
    if (ts.isIdentifier(each)) {
      const symbol = checker.getSymbolAtLocation(each);
      const meant = symbol && target(symbol, checker);
      if (meant?.declarations?.some(isTopLevel)) found.add(meant);
    }
    if (!isHidden(each)) ts.forEachChild(each, visit);
  };
  visit(node);
  return [...found];
}

/** @param {ts.Node} node */
const isTopLevel = (node) => ts.isSourceFile(ts.isVariableDeclaration(node) ? node.parent.parent.parent : (node.parent ?? node));

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** @param {ts.Node} node */
const printed = (node) => printer.printNode(ts.EmitHint.Unspecified, visible(node), node.getSourceFile());
