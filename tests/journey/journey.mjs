// A visitor's way through the shop, in Chromium: opens it, creates an account, changes the shipping address, writes a review and
// sees it; a form in which something is wrong shows its message. The same way fits the shop in Rust and the one by Django.
//
//   node journey.mjs https://shop.test --address 192.0.2.10 [--pictures FOLDER]
//
// Each step is a sentence. The first that does not come true ends it, with the steps so far.

import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    address: { type: 'string' },
    browser: { type: 'string', default: '/usr/bin/chromium' },
    pictures: { type: 'string' },
  },
});
const origin = positionals[0];
if (!origin) {
  console.error('usage: node journey.mjs ORIGIN [--address IP] [--browser FILE] [--pictures FOLDER]');
  process.exit(2);
}

// A page comes in milliseconds; a loaded machine may take longer.
const PATIENCE = 30_000;
const person = { name: 'Ada Lovelace', email: `ada${Date.now()}@example.com`, password: 'analytical engine' };
const words = "It travelled well. <b>Twice</b>, and 'quoted'; -- see?";

let page;
let steps = 0;

/** One step: a sentence, and what makes it true. */
async function step(sentence, work) {
  try {
    await work();
  } catch (error) {
    console.error(`not ok ${steps + 1} ${sentence}\n${error.message}\nat ${page?.url()}`);
    console.error(await page?.locator('main').innerText().catch(() => ''));
    throw error;
  }
  steps += 1;
  console.log(`ok ${steps} ${sentence}`);
  if (options.pictures) {
    await page.screenshot({ path: `${options.pictures}/${String(steps).padStart(2, '0')}.png`, fullPage: true });
  }
}

/** Fails unless this text is to be seen. */
const see = (text) => page.getByText(text, { exact: false }).first().waitFor();

/** Fails unless this message stands at this field, for eyes and for readers of screens. */
async function seeMessage(label, message) {
  const field = page.getByLabel(label, { exact: true }).first();
  const id = (await field.getAttribute('aria-describedby'))?.split(' ').find((id) => id.endsWith('-error'));
  if (!id) throw new Error(`${label}: should have a message, but has none`);
  const shown = await page.locator(`[id="${id}"]`).innerText();
  if (!shown.includes(message)) throw new Error(`${label}: should say "${message}", but says "${shown}"`);
  if ((await field.getAttribute('aria-invalid')) !== 'true') throw new Error(`${label}: should be marked as invalid`);
}

async function seeValue(label, expected) {
  const value = await page.getByLabel(label, { exact: true }).inputValue();
  if (value !== expected) throw new Error(`${label}: should hold "${expected}", but holds "${value}"`);
}

const type = (label, text) => page.getByLabel(label, { exact: true }).fill(text);
const press = (name) => page.getByRole('button', { name, exact: true }).click();
const follow = (name) => page.getByRole('link', { name, exact: true }).first().click();

async function journey() {
  await step('The shop opens, and shows four things.', async () => {
    await page.goto(`${origin}/`);
    for (const name of ['Tea', 'Frame', 'Envelope', 'Stamp']) await see(name);
  });
  await step('Who wants to write a review is asked to sign in.', async () => {
    await follow('Tea');
    await follow('Write a review');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
  await step('An account without a proper email and password is refused, each with its message.', async () => {
    await page.getByRole('main').getByRole('link', { name: 'Create an account' }).click();
    await type('Name', person.name);
    await type('Email', 'ada');
    await type('Password', 'short');
    await press('Create account');
    await seeMessage('Email', 'Enter an email address, such as ada@example.com.');
    await seeMessage('Password', 'Use at least 10 characters.');
  });
  await step('What was typed is kept, but for the password.', async () => {
    await seeValue('Name', person.name);
    await seeValue('Email', 'ada');
    await seeValue('Password', '');
  });
  await step('With those mended, the account is created.', async () => {
    await type('Email', person.email);
    await type('Password', person.password);
    await press('Create account');
    await see('Your account was created.');
    await see(person.email);
    await see('You have no shipping address yet.');
  });
  await step('A shipping address without a town is refused.', async () => {
    await follow('Change the shipping address');
    await type('Street and number', "St James's Square 12");
    await type('Postcode', 'SW1Y 4JH');
    await type('Country', 'England');
    await press('Save address');
    await seeMessage('Town or city', 'Enter the town or city.');
    await seeValue('Street and number', "St James's Square 12");
  });
  await step('With the town, it is saved.', async () => {
    await type('Town or city', 'London');
    await press('Save address');
    await see('Your address was saved.');
    await see('SW1Y 4JH London');
  });
  await step('It can be changed.', async () => {
    await follow('Change the shipping address');
    await seeValue('Town or city', 'London');
    await type('Town or city', 'Paris');
    await press('Save address');
    await see('SW1Y 4JH Paris');
  });
  await step('A review without stars and words is refused.', async () => {
    await follow('The shop');
    await follow('Tea');
    await follow('Write a review');
    await press('Save review');
    await seeMessage('5 stars', 'Choose 1 to 5 stars.');
    await seeMessage('Review', 'Write a few words.');
  });
  await step('With both, it is there to be seen, letter by letter as it was typed.', async () => {
    await page.getByLabel('4 stars', { exact: true }).check();
    await type('Review', words);
    await press('Save review');
    await see('Your review was saved.');
    await see(words);
    await page.getByRole('img', { name: '4 of 5 stars' }).first().waitFor();
  });
  await step('It is among the customer\'s own.', async () => {
    await follow('Your account');
    await see(words);
  });
  await step('Signed out, the review is still there, and the account is not.', async () => {
    await press('Sign out');
    await see('You are signed out.');
    await follow('Tea');
    await see(words);
    await page.goto(`${origin}/account`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
}

const args = ['--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
if (options.address) args.push(`--host-resolver-rules=MAP ${new URL(origin).hostname} ${options.address}`);
const browser = await chromium.launch({ executablePath: options.browser, args });
try {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  await journey();
  // A refused form is an answer of 422, of which the browser's console speaks too.
  const unexpected = faults.filter((fault) => !fault.includes('422'));
  if (unexpected.length > 0) throw new Error(`the browser complains:\n${unexpected.join('\n')}`);
  console.log(`${steps} steps, all well`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await browser.close();
}
